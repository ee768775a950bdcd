<?php
/*
 * Before each request of the web: a known device is told so, and PostgreSQL that is away is said to be away.
 * And for all of PHP: the room that is left is the bundle's, not the disk's.
 */

declare(strict_types=1);

/** A phone whose secret was revoked tries for ever. It is known here, and told so before Nextcloud starts; by the realm the
 * web server knows that nobody guesses (role nginx). The role `bundle` writes the list, in its tasks `device`: id, SHA-256 of the
 * secret, login. */
function paquet_tell_revoked(): void {
	$known = '/etc/paquet/nextcloud/bundles/' . getenv('PAQUET_BUNDLE') . '.revoked';
	if (!isset($_SERVER['PHP_AUTH_PW']) || !is_file($known)) {
		return;
	}
	$mine = ' ' . hash('sha256', $_SERVER['PHP_AUTH_PW']) . ' ' . strtolower($_SERVER['PHP_AUTH_USER']);
	foreach (file($known, FILE_IGNORE_NEW_LINES) as $line) {
		if (str_ends_with($line, $mine)) {
			http_response_code(401);
			header('WWW-Authenticate: Basic realm="revoked device"');
			exit;
		}
	}
}

/** When Nextcloud fails because PostgreSQL is away, that is said, and not "internal error": phones and programs then come
 * again by themselves. Any other failure stays what it is. */
function paquet_tell_away(): void {
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
}

/** PHP's own is switched off (paquet.ini): people of a bundle share its room, and the disk of the server is not theirs.
 * Elsewhere than among their files, and when the meter does not know, the answer is that nobody knows. */
if (!function_exists('disk_free_space')) {
	function disk_free_space(string $directory): float|false {
		$bundle = getenv('PAQUET_BUNDLE');
		if (!str_starts_with($directory, "/srv/bundles/$bundle/data/")) {
			return false;
		}
		$meter = @stream_socket_client("unix:///run/paquet/$bundle/ask/room.sock", timeout: 5);
		if ($meter === false) {
			return false;
		}
		stream_set_timeout($meter, 5);
		fwrite($meter, "ROOM / HTTP/1.1\r\n\r\n");
		$said = fread($meter, 4096);
		return preg_match('/^X-Paquet-Free: (\d+)/m', $said ?: '', $found) ? (float)$found[1] : false;
	}
}

if (PHP_SAPI === 'fpm-fcgi') {
	paquet_tell_revoked();
	header_register_callback(paquet_tell_away(...));
}
