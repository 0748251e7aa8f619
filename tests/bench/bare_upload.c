/* bare_upload.c - what media's uploads are held against: one process that receives
 * requests with bodies, hashes and writes each piece, makes each request's durable, and
 * answers; no bus, rights, quota or database.
 *
 *   bare_upload PORT FILE
 *
 * It serves one connection after the other, and each request's body goes behind the one
 * before; Upload-Offset: 0 begins the file anew. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

enum { PIECE = 256 * 1024, HEAD_MAX = 16 * 1024 };

struct upload {
	int file;
	EVP_MD_CTX *hash;
	size_t offset;
};

static void
take(struct upload *u, const char *data, size_t len)
{
	if (EVP_DigestUpdate(u->hash, data, len) != 1)
		errx(1, "hash");
	for (size_t done = 0; done < len;) {
		const ssize_t n =
		    pwrite(u->file, data + done, len - done, (off_t)(u->offset + done));

		if (n < 0)
			err(1, "write");
		done += (size_t)n;
	}
	u->offset += len;
}

/* The value of a field, or 0. */
static size_t
number_of(const char *head, const char *field)
{
	const char *at = strcasestr(head, field);

	return at == NULL ? 0 : strtoul(at + strlen(field), NULL, 10);
}

/* One request; false when the client has gone. */
static bool
serve(struct upload *u, int line)
{
	static char piece[PIECE];
	char head[HEAD_MAX + 1], answer[128];
	size_t got = 0, left, body;
	char *end;
	int n;

	do {
		const ssize_t r = recv(line, head + got, HEAD_MAX - got, 0);

		if (r <= 0)
			return false;
		got += (size_t)r;
		head[got] = '\0';
		end = strstr(head, "\r\n\r\n");
	} while (end == NULL && got < HEAD_MAX);
	if (end == NULL)
		return false;
	body = got - (size_t)(end + 4 - head);
	end[2] = '\0';
	left = number_of(head, "\r\ncontent-length:");
	if (number_of(head, "\r\nupload-offset:") == 0) {
		u->offset = 0;
		if (ftruncate(u->file, 0) != 0 ||
		    EVP_DigestInit_ex(u->hash, EVP_sha256(), NULL) != 1)
			errx(1, "begin");
	}
	take(u, end + 4, body);
	for (left -= body; left > 0;) {
		const ssize_t r = recv(line, piece, left < PIECE ? left : PIECE, 0);

		if (r <= 0)
			return false;
		take(u, piece, (size_t)r);
		left -= (size_t)r;
	}
	if (fdatasync(u->file) != 0)
		err(1, "fdatasync");
	n = snprintf(answer, sizeof answer,
	    "HTTP/1.1 204 No Content\r\nUpload-Offset: %zu\r\n\r\n", u->offset);
	return send(line, answer, (size_t)n, MSG_NOSIGNAL) == n;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct upload u = { .hash = EVP_MD_CTX_new() };
	const int one = 1, door = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 3)
		errx(1, "bare_upload PORT FILE");
	at.sin_port = htons((uint16_t)atoi(argv[1]));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	u.file = open(argv[2], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (u.file < 0 || u.hash == NULL)
		err(1, "%s", argv[2]);
	if (setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    bind(door, (const struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(door, 16) != 0)
		err(1, "port %s", argv[1]);
	for (;;) {
		const int line = accept(door, NULL, NULL);

		if (line < 0)
			err(1, "accept");
		while (serve(&u, line))
			;
		close(line);
	}
}
