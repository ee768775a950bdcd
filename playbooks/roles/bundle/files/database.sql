-- Locks of all databases share one table. Nextcloud takes none of its own making, and nobody shall fill it with them.
do $$
declare lock regprocedure;
begin
    for lock in select oid from pg_proc where pronamespace = 'pg_catalog'::regnamespace
        and proname ~ '^pg_(try_)?advisory_(xact_)?lock(_shared)?$'
    loop
        execute format('revoke execute on function %s from public', lock);
    end loop;
end $$;
