<?php
/*
 * Install an empty Nextcloud, from which the databases of bundles are copied.
 *
 * Standard input: JSON {"tree": folder, "system": config.php to begin with, "options": as of
 * OC\Setup::install}. Run as the Unix user of the template, with NEXTCLOUD_CONFIG_DIR empty.
 */

declare(strict_types=1);

$wanted = json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR);
ini_set('display_errors', 'stderr');
error_reporting(E_ALL & ~E_DEPRECATED);
try {
	file_put_contents(getenv('NEXTCLOUD_CONFIG_DIR') . '/config.php', "<?php\n\$CONFIG = " . var_export($wanted['system'], true) . ";\n");
	define('OC_CONSOLE', 1);
	chdir($wanted['tree']);
	$_SERVER['SCRIPT_FILENAME'] = $wanted['tree'] . '/console.php';
	$_SERVER['argv'] = ['console.php', 'maintenance:install'];
	require_once $wanted['tree'] . '/lib/base.php';
	$errors = \OCP\Server::get(\OC\Setup::class)->install($wanted['options']);
	foreach ($errors as $error) {
		$said = is_array($error) ? $error['error'] : $error;
		fwrite(STDERR, "$said\n");
	}
	exit($errors === [] ? 0 : 1);
} catch (Throwable $failed) {
	fwrite(STDERR, get_class($failed) . ': ' . $failed->getMessage() . ' at ' . basename($failed->getFile()) . ':' . $failed->getLine() . "\n");
	exit(1);
}
