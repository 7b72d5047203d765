import { createHash } from 'node:crypto';

/** What attackers try first against Redis: leaked lists' heads and what tutorials write. */
const common =
  '123456 password 12345678 qwerty 123456789 12345 1234 111111 1234567 dragon 123123 baseball abc123 football monkey letmein shadow master 666666 qwertyuiop 123321 mustang 1234567890 michael 654321 superman 1qaz2wsx 7777777 121212 000000 qazwsx 123qwe killer trustno1 jordan jennifer zxcvbnm asdfgh hunter buster soccer harley batman andrew tigger sunshine iloveyou 2000 charlie robert thomas hockey ranger daniel starwars klaster 112233 george computer michelle jessica pepper 1111 zxcvbn 555555 11111111 131313 freedom 777777 pass maggie 159753 aaaaaa ginger princess joshua cheese amanda summer love ashley 6969 nicole chelsea biteme matthew access yankees 987654321 dallas austin thunder taylor matrix admin admin123 administrator root toor changeme changeit default secret redis redis123 redispass redispassword redis-password valkey valkey123 dragonfly foobared mypassword myredispass yourpassword your_password yourstrongpassword strongpassword supersecret password1 password123 p@ssw0rd P@ssw0rd Password1 Passw0rd test test123 testing guest user dev development prod production staging cache session sessions queue bitnami docker example s3cr3t hunter2 welcome welcome1 qwerty123 1q2w3e4r 1q2w3e4r5t zaq12wsx letmein123 eYVX7EwVmmxKPCDmwMtyKVge8oLd2t81'.split(
    ' ',
  );

function variants(name: string): string[] {
  return [name, `${name}123`, `${name}1`, `${name}-password`, `${name}pass`, `${name}password`, `${name}_password`];
}

/** SHA-256 of the guesses, the user names' own among them: compared with the server's hashes without one login. */
export function commonPasswordHashes(users: readonly string[]): ReadonlySet<string> {
  const guesses = ['', ...common, ...users.flatMap(variants)];
  return new Set(guesses.map((guess) => createHash('sha256').update(guess).digest('hex')));
}
