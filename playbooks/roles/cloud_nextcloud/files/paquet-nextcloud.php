<?php
/*
 * Bring one Nextcloud to its wanted state, in one start of PHP, as the Unix user of its bundle.
 *
 * Standard input: JSON {"tree": folder, "dry_run": bool, "system": {...},
 *   "apps": {app: {key: value}}, "without": [app], "admin": {"uid", "password"},
 *   "users": [{"address", "display_name", "quota"}], "prune": bool,
 *   "device": {"action": "enrol"|"revoke", "id", "name", "address", "secret"}}. All but tree may be left out.
 * Standard output, last line: JSON {"changed": [what was, or with dry_run would be, changed]}.
 * Secrets come on standard input only: arguments and environment can be read by others.
 */

declare(strict_types=1);

const PERMANENT = 1; // OCP\Authentication\Token\IToken::PERMANENT_TOKEN

/** The wanted state, what differed, and whether to change it. */
final class Work {
	/** @var list<string> */
	public array $changed = [];

	public function __construct(public readonly array $wanted) {
	}

	/** Note a difference and repair it, unless this is a dry run. */
	public function settle(string $what, callable $repair): void {
		$this->changed[] = $what;
		if (!($this->wanted['dry_run'] ?? false)) {
			$repair();
		}
	}
}

/** Return a random text of letters and digits. */
function random_text(int $length, string $from = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'): string {
	$text = '';
	while (strlen($text) < $length) {
		$text .= $from[random_int(0, strlen($from) - 1)];
	}
	return $text;
}

/** Return the standing configuration, empty when there is none. */
function read_configuration(string $file): array {
	$CONFIG = [];
	if (is_file($file)) {
		include $file;
	}
	return $CONFIG;
}

/** Return the version of the code, as config.php holds it. */
function version_of(string $tree): string {
	include "$tree/version.php";
	return implode('.', $OC_Version);
}

/** Make config.php hold all wanted values; what is made once (instance id, salt, secret) stays. */
function settle_configuration(Work $work): void {
	$file = getenv('NEXTCLOUD_CONFIG_DIR') . '/config.php';
	$standing = read_configuration($file);
	$made = [
		'instanceid' => 'oc' . random_text(10, 'abcdefghijklmnopqrstuvwxyz0123456789'),
		'passwordsalt' => random_text(30),
		'secret' => random_text(48),
		'version' => version_of($work->wanted['tree']),
		'installed' => true,
	];
	$after = [...$made, ...$standing, ...$work->wanted['system']];
	if ($after === $standing) {
		return;
	}
	$different = array_filter($after, fn ($value, $key) => !array_key_exists($key, $standing) || $standing[$key] !== $value, ARRAY_FILTER_USE_BOTH);
	$work->settle('config.php: ' . implode(', ', array_keys($different)), function () use ($file, $after) {
		umask(0027);
		$beside = $file . '.paquet-new';
		$text = "<?php\n\$CONFIG = " . var_export($after, true) . ";\n";
		if (file_put_contents($beside, $text) !== strlen($text) || !rename($beside, $file)) {
			throw new RuntimeException("cannot write $file");
		}
	});
}

/** Make settings of apps hold their values, and switch unwanted apps off. */
function settle_apps(Work $work): void {
	$config = \OCP\Server::get(\OCP\IConfig::class);
	foreach ($work->wanted['apps'] ?? [] as $app => $values) {
		foreach ($values as $key => $value) {
			if ($config->getAppValue($app, $key, "\0") !== (string)$value) {
				$work->settle("$app $key", fn () => $config->setAppValue($app, $key, (string)$value));
			}
		}
	}
	$manager = \OCP\Server::get(\OCP\App\IAppManager::class);
	foreach ($work->wanted['without'] ?? [] as $app) {
		if ($manager->isInstalled($app)) {
			$work->settle("app $app off", fn () => $manager->disableApp($app));
		}
	}
}

/** Give the administrator the wanted password. */
function settle_admin(Work $work): void {
	$admin = $work->wanted['admin'] ?? null;
	if ($admin === null) {
		return;
	}
	$users = \OCP\Server::get(\OCP\IUserManager::class);
	$user = $users->get($admin['uid']);
	if ($user === null) {
		throw new RuntimeException("the administrator {$admin['uid']} is missing");
	}
	if ($users->checkPassword($admin['uid'], $admin['password']) === false) {
		$work->settle('password of the administrator', fn () => $user->setPassword($admin['password']) ?: throw new RuntimeException('password refused'));
	}
}

/** Make each user exist with name, e-mail address and quota; others but the administrator are switched off. */
function settle_users(Work $work): void {
	$users = \OCP\Server::get(\OCP\IUserManager::class);
	foreach ($work->wanted['users'] ?? [] as $wanted) {
		$user = $users->get($wanted['address']);
		if ($user === null) {
			$work->settle("user {$wanted['address']}", fn () => settle_user($work, make_user($wanted['address']), $wanted));
		} else {
			settle_user($work, $user, $wanted);
		}
	}
	if ($work->wanted['prune'] ?? false) {
		switch_off_others($work, array_column($work->wanted['users'], 'address'));
	}
}

/** Return a new user; nobody knows the random login password, devices have secrets of their own. */
function make_user(string $address): \OCP\IUser {
	$user = \OCP\Server::get(\OCP\IUserManager::class)->createUser($address, random_text(40) . 'aA1!');
	if (!$user) {
		throw new RuntimeException("user $address was refused");
	}
	// Else the first two clients of a new user, arriving together, make this folder both: one gets a 500.
	\OCP\Server::get(\OCP\Files\IRootFolder::class)->getUserFolder($address)->getId();
	return $user;
}

function settle_user(Work $work, \OCP\IUser $user, array $wanted): void {
	$address = $wanted['address'];
	if ($user->getDisplayName() !== $wanted['display_name']) {
		$work->settle("name of $address", fn () => $user->setDisplayName($wanted['display_name']));
	}
	if ($user->getSystemEMailAddress() !== $address) {
		$work->settle("e-mail address of $address", fn () => $user->setSystemEMailAddress($address));
	}
	// Not by setQuota(): it rounds to one decimal of the unit, and what was ordered is exact.
	if ($user->getQuota() !== $wanted['quota'] . ' B') {
		$config = \OCP\Server::get(\OCP\IConfig::class);
		$work->settle("quota of $address", fn () => $config->setUserValue($address, 'files', 'quota', $wanted['quota'] . ' B'));
	}
	if (!$user->isEnabled()) {
		$work->settle("$address on", fn () => $user->setEnabled(true));
	}
	settle_first_collections($work, 'principals/users/' . $user->getUID());
}

/** Give a user the calendar and address book that a phone looks for, before the first login. */
function settle_first_collections(Work $work, string $principal): void {
	$calendars = \OCP\Server::get(\OCA\DAV\CalDAV\CalDavBackend::class);
	if ($calendars->getCalendarsForUserCount($principal) === 0) {
		$properties = ['{DAV:}displayname' => 'Agenda', '{http://apple.com/ns/ical/}calendar-color' => '#3a7d44', 'components' => 'VEVENT,VTODO'];
		$work->settle("calendar of $principal", fn () => $calendars->createCalendar($principal, 'personal', $properties));
	}
	$books = \OCP\Server::get(\OCA\DAV\CardDAV\CardDavBackend::class);
	if ($books->getAddressBooksForUserCount($principal) === 0) {
		$properties = ['{DAV:}displayname' => 'Contacts'];
		$work->settle("address book of $principal", fn () => $books->createAddressBook($principal, 'contacts', $properties));
	}
}

function switch_off_others(Work $work, array $addresses): void {
	$stays = [...$addresses, $work->wanted['admin']['uid'] ?? ''];
	\OCP\Server::get(\OCP\IUserManager::class)->callForAllUsers(function (\OCP\IUser $user) use ($work, $stays) {
		if (!in_array($user->getUID(), $stays, true) && $user->isEnabled()) {
			$work->settle("{$user->getUID()} off", fn () => $user->setEnabled(false));
		}
	});
}

/** Make the secret of one device a login, or end it. */
function settle_device(Work $work): void {
	$device = $work->wanted['device'] ?? null;
	if ($device === null) {
		return;
	}
	$provider = \OCP\Server::get(\OC\Authentication\Token\IProvider::class);
	$standing = tokens_of_device($provider, $device);
	if ($device['action'] === 'revoke') {
		foreach ($standing as $token) {
			$work->settle("device {$device['id']} revoked", fn () => $provider->invalidateTokenById($device['address'], $token->getId()));
		}
		return;
	}
	if (\OCP\Server::get(\OCP\IUserManager::class)->get($device['address']) === null) {
		throw new RuntimeException("there is no user {$device['address']}");
	}
	$mine = array_filter($standing, fn ($token) => is_secret_of($provider, $device['secret'], $token));
	foreach (array_diff_key($standing, $mine) as $token) {
		$work->settle("old secret of device {$device['id']} ended", fn () => $provider->invalidateTokenById($device['address'], $token->getId()));
	}
	if ($mine === []) {
		$name = mb_substr($device['name'], 0, 70) . mark_of($device);
		$work->settle("device {$device['id']} enrolled", fn () => $provider->generateToken($device['secret'], $device['address'], $device['address'], null, $name, PERMANENT));
	}
}

/** Whether `secret` is the one of `token`. */
function is_secret_of(\OC\Authentication\Token\IProvider $provider, string $secret, object $token): bool {
	try {
		return $provider->getToken($secret)->getId() === $token->getId();
	} catch (\OCP\Authentication\Exceptions\InvalidTokenException | \OC\Authentication\Exceptions\InvalidTokenException) {
		return false;
	}
}

/** Return how the names of a device's tokens end. */
function mark_of(array $device): string {
	return ' [' . $device['id'] . ']';
}

/** Return the tokens of one device; its id stands at the end of their names. */
function tokens_of_device(\OC\Authentication\Token\IProvider $provider, array $device): array {
	$tokens = $provider->getTokenByUser($device['address']);
	return array_values(array_filter($tokens, fn ($token) => str_ends_with($token->getName(), mark_of($device))));
}

/** Start Nextcloud itself, as its console does. */
function start_nextcloud(string $tree): void {
	define('OC_CONSOLE', 1);
	chdir($tree);
	$_SERVER['SCRIPT_FILENAME'] = "$tree/console.php";
	$_SERVER['argv'] = ['console.php'];
	require_once "$tree/lib/base.php";
	if (\OCP\Util::needUpgrade()) {
		throw new RuntimeException('this Nextcloud waits for an upgrade: ' . \OCP\Server::get(\OCP\IConfig::class)->getSystemValueString('version'));
	}
	\OC_App::loadApps();
}

ini_set('display_errors', 'stderr');
error_reporting(E_ALL & ~E_DEPRECATED);
$work = new Work(json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR));
try {
	if (isset($work->wanted['system'])) {
		settle_configuration($work);
	}
	// A dry run of a bundle that has no configuration yet has nothing to compare with.
	if (is_file(getenv('NEXTCLOUD_CONFIG_DIR') . '/config.php')) {
		start_nextcloud($work->wanted['tree']);
		settle_apps($work);
		settle_admin($work);
		settle_users($work);
		settle_device($work);
	}
} catch (Throwable $failed) {
	fwrite(STDERR, get_class($failed) . ': ' . $failed->getMessage() . ' at ' . basename($failed->getFile()) . ':' . $failed->getLine() . "\n");
	exit(1);
}
echo "\n", json_encode(['changed' => $work->changed], JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE), "\n";
exit(0);
