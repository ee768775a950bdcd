-- Written by Paquet; the next deploy overwrites it.
-- Postfix checked that the envelope sender is the user's own. What people read is the From header: it has to be the same
-- address, or the login itself (an empty envelope, as of a receipt).
rspamd_config:register_symbol({
  name = 'PAQUET_FALSE_FROM',
  type = 'prefilter',
  callback = function(task)
    local user = task:get_user()
    if not user then return end
    local own = {[user:lower()] = true}
    for _, sender in ipairs(task:get_from({'smtp', 'orig'}) or {}) do
      own[(sender.addr or ''):lower()] = true
    end
    local shown = task:get_from({'mime', 'orig'}) or {}
    for _, from in ipairs(shown) do
      if not own[(from.addr or ''):lower()] then
        task:set_pre_result('reject', 'From has to be the address that you send as')
        return
      end
    end
    -- programs disagree about which of two From headers they show
    if #shown == 0 or #(task:get_header_full('From') or {}) ~= 1 then
      task:set_pre_result('reject', 'From has to be there once')
    end
  end,
})
