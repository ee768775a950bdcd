<?php
/*
 * Before each request: when Nextcloud fails because PostgreSQL is away, that is said, and not "internal error":
 * phones and programs then come again by themselves. Any other failure stays what it is.
 */

declare(strict_types=1);

if (PHP_SAPI === 'fpm-fcgi') {
	header_register_callback(static function (): void {
		// Its DAV answers with the number of the error in place of a status: 7.
		if (http_response_code() >= 200 && http_response_code() !== 500) {
			return;
		}
		try {
			new PDO('pgsql:host=/run/postgresql;connect_timeout=5');
			http_response_code(500);
		} catch (PDOException) {
			http_response_code(503);
			header('Retry-After: 30');
		}
	});
}
