/* The most common of the passwords that breaches brought to light and that have
 * enough bytes to pass otherwise, in small letters and in order. Short on purpose:
 * these few are what an attacker tries within the limits. */
#include <stdlib.h>
#include <strings.h>

#include "password.h"

static const char *const common[] = {
	"!@#$%^&*", "!qaz2wsx", "00000000", "0123456789", "0987654321", "11111111",
	"11223344", "1122334455", "112233445566", "12121212", "123123123",
	"123321123", "1234!@#$", "12341234", "123454321", "1234554321", "12345678",
	"123456789", "1234567890", "12345678910", "12345678a", "1234567a",
	"123456aa", "123456ab", "123456abc", "123456qwerty", "12345qwert",
	"1234abcd", "1234qwer", "123qweasd", "13131313", "14141414", "147258369",
	"147852369", "159357456", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx",
	"1qaz2wsx3edc", "1qazxsw2", "20202020", "22222222", "33333333", "44444444",
	"55555555", "66666666", "77777777", "87654321", "88888888", "98765432",
	"987654321", "9876543210", "99999999", "a1234567", "a12345678", "a1b2c3d4",
	"aa123456", "aaaaaaaa", "abc12345", "abc123456", "abc123abc", "abcabcabc",
	"abcd1234", "abcdefg1", "abcdefgh", "access14", "admin123", "admin1234",
	"administrator", "alexander", "amanda12", "anthony1", "arsenal1",
	"asd123asd", "asdasdasd", "asdf1234", "asdfasdf", "asdfghjkl", "ashley12",
	"autumn2024", "autumn2025", "azerty123", "azertyuiop", "barcelona",
	"baseball", "basketball", "batman123", "benjamin", "blahblah", "blessed1",
	"blink182", "brandon1", "butterfly", "carolina", "changeme", "changeme123",
	"charlie1", "cheesecake", "chelsea1", "chocolate", "christian", "christmas",
	"computer", "computer1", "contrasena", "correcthorsebatterystaple",
	"corvette", "cowboys1", "creative", "daniel12", "danielle", "december",
	"default1", "dolphins", "dragon123", "drowssap", "eagles12", "einstein",
	"elephant", "elizabeth", "facebook", "facebook1", "february", "ferrari1",
	"firebird", "flowers1", "football", "fortnite", "friendly", "gateway1",
	"godisgood", "goldfish", "google123", "guest123", "happy123", "hardcore",
	"harley12", "hello123", "hello1234", "hellokitty", "helloworld", "hunter12",
	"iloveyou", "iloveyou!", "iloveyou1", "iloveyou2", "instagram", "internet",
	"jackson5", "jasmine1", "jennifer", "jessica1", "jesus123", "jesuschrist",
	"jonathan", "jordan23", "juventus", "killer12", "lakers24", "letmein1",
	"letmein123", "linkedin", "liverpool", "lovelove", "loveyou1", "madison1",
	"manchester", "marlboro", "maryjane", "master123", "matthew1", "maverick",
	"mercedes", "metallica", "michael1", "michelle", "midnight", "minecraft",
	"monkey123", "motdepasse", "mountain", "mustang1", "ncc1701d", "nicholas",
	"nintendo", "nirvana1", "november", "p4ssw0rd", "p@ssw0rd", "p@ssword",
	"packers1", "panthers", "parola12", "pass1234", "pass12345", "passpass",
	"passport", "passw0rd", "password", "password!", "password01", "password1",
	"password11", "password12", "password123", "password2020", "password2021",
	"password2022", "password2023", "password2024", "password2025", "password99",
	"passwordpassword", "passwort", "passwort1", "patricia", "peaches1",
	"pepper12", "phoenix1", "platinum", "playstation", "pokemon1", "porsche1",
	"princess", "q1w2e3r4", "q1w2e3r4t5", "qazwsxedc", "qwe123qwe", "qweasdzxc",
	"qweqweqwe", "qwer1234", "qwerty12", "qwerty123", "qwerty1234",
	"qwerty12345", "qwertyui", "qwertyuiop", "qwertz123", "raiders1", "rainbow1",
	"ranger12", "realmadrid", "redskins", "root1234", "rush2112", "samantha",
	"samsung1", "scorpion", "secret123", "senha123", "september", "sergey12",
	"shadow123", "slipknot", "snowball", "spiderman", "spring2024", "spring2025",
	"stargate", "startrek", "starwars", "steelers", "strawberry", "success1",
	"summer2020", "summer2021", "summer2022", "summer2023", "summer2024",
	"summer2025", "sunshine", "superman", "swimming", "test1234", "test12345",
	"testing1", "testing123", "testtest", "thunder1", "tigger12", "tinkerbell",
	"toor1234", "tottenham", "trellis1", "trellis123", "trustno1", "twitter1",
	"user1234", "victoria", "victory1", "warcraft", "warrior1", "welcome1",
	"welcome12", "welcome123", "whatever", "whatever1", "william1", "winter2020",
	"winter2021", "winter2022", "winter2023", "winter2024", "winter2025",
	"yankees1", "yellow12", "zaq12wsx", "zaq1zaq1", "zxcvbnm,", "zxcvbnm.",
	"zxcvbnm1", "zxcvbnm123",
};

static int
compare(const void *password, const void *entry)
{
	return strcasecmp(password, *(const char *const *)entry);
}

bool
auth_password_is_common(const char *password)
{
	return bsearch(password, common, TRL_COUNT(common), sizeof common[0], compare) != NULL;
}
