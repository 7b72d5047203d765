import { createHash } from 'node:crypto';

/** What attackers try first against Redis: leaked lists' heads and what tutorials write. */
const common =
  '123456 password 12345678 qwerty 123456789 12345 1234 111111 1234567 dragon 123123 baseball abc123 football monkey letmein shadow master 666666 qwertyuiop 123321 mustang 1234567890 michael 654321 superman 1qaz2wsx 7777777 121212 000000 qazwsx 123qwe killer trustno1 jordan jennifer zxcvbnm asdfgh hunter buster soccer harley batman andrew tigger sunshine iloveyou 2000 charlie robert thomas hockey ranger daniel starwars klaster 112233 george computer michelle jessica pepper 1111 zxcvbn 555555 11111111 131313 freedom 777777 pass maggie 159753 aaaaaa ginger princess joshua cheese amanda summer love ashley 6969 nicole chelsea biteme matthew access yankees 987654321 dallas austin thunder taylor matrix admin admin123 administrator root toor changeme changeit default secret redis redis123 redispass redispassword redis-password valkey valkey123 dragonfly foobared mypassword myredispass yourpassword your_password yourstrongpassword strongpassword supersecret password1 password123 p@ssw0rd P@ssw0rd Password1 Passw0rd test test123 testing guest user dev development prod production staging cache session sessions queue bitnami docker example s3cr3t hunter2 welcome welcome1 qwerty123 1q2w3e4r 1q2w3e4r5t zaq12wsx letmein123 eYVX7EwVmmxKPCDmwMtyKVge8oLd2t81'.split(
    ' ',
  );

/** What people make of a name when a password is asked for: with digits, a year, a word, capitals or a mark. */
function variants(name: string): string[] {
  const words = [name, name.toLowerCase(), name.charAt(0).toUpperCase() + name.slice(1), [...name].reverse().join('')];
  const endings = ['', '1', '12', '123', '1234', '12345', '!', '1!', '123!', '@123', '#1', '01', '00', '007', '_1']
    .concat(Array.from({ length: 14 }, (_, index) => String(2014 + index)))
    .concat(['pass', 'password', 'pw', 'pwd', 'secret', 'redis', 'admin', 'user', 'prod', 'dev', 'test', 'key', 'db'])
    .flatMap((ending) => (/^[a-z]/.test(ending) ? [ending, `-${ending}`, `_${ending}`] : [ending]));
  return words.flatMap((word) => endings.map((ending) => word + ending));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Short enough to be tried one by one: digits up to five, letters up to three. */
function* shortOnes(): Generator<string> {
  for (let length = 1; length <= 5; length++)
    for (let number = 0; number < 10 ** length; number++) yield String(number).padStart(length, '0');
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  for (const a of letters) {
    yield a;
    for (const b of letters) {
      yield a + b;
      for (const c of letters) yield a + b + c;
    }
  }
}

/**
 * Why a password is weak, by its SHA-256, for those of `hashes` that are: compared without one login. `names` are those
 * of users, hosts and the deployment.
 */
export function weakPasswords(hashes: ReadonlySet<string>, names: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const guess = (text: string, why: string): void => {
    const hash = sha256(text);
    if (hashes.has(hash) && !found.has(hash)) found.set(hash, why);
  };
  guess('', 'is empty');
  for (const name of names) for (const text of variants(name)) guess(text, 'is derived from a name');
  for (const word of common) for (const text of variants(word)) guess(text, 'is common or a variation of a common one');
  if (hashes.size > found.size) for (const text of shortOnes()) guess(text, 'is too short');
  return found;
}
