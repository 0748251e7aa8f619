/* Runs a fuzz target without libFuzzer: every file of the corpus, then seeded
 * mutations of them. The same seed gives the same inputs, so a failure is repeated
 * by its line; the input that ended the process is left in a file.
 *
 *   fuzz_json [-n runs] [-s seed] [-t seconds] corpus-file-or-folder...
 *
 * A target is one file that defines LLVMFuzzerTestOneInput, and may define
 * fuzz_tokens, words that mutation strews in. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);
/* NULL-ended. */
extern const char *const fuzz_tokens[] __attribute__((weak));
/* In programs built with a sanitizer. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

enum { CORPUS_MAX = 1000, INPUT_MAX = 64 << 10 };

struct input {
	uint8_t *data;
	size_t len;
};

static struct {
	struct input corpus[CORPUS_MAX];
	size_t n_corpus;
	uint64_t random;
	struct input now; /* what the target is reading */
	char crash_path[200];
} fuzz;

static uint64_t
next_below(uint64_t below)
{
	/* xorshift64* (Vigna 2016) */
	fuzz.random ^= fuzz.random >> 12;
	fuzz.random ^= fuzz.random << 25;
	fuzz.random ^= fuzz.random >> 27;
	return below ? (fuzz.random * UINT64_C(2685821657736338717) >> 16) % below : 0;
}

/* Async-signal-safe. */
static void
keep_input(void)
{
	int fd = open(fuzz.crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, fuzz.now.data, fuzz.now.len) < 0)
		return;
	close(fd);
}

static void
on_signal(int number)
{
	keep_input();
	signal(number, SIG_DFL);
	raise(number);
}

static void
run(const uint8_t *data, size_t len)
{
	/* Of its exact size, so that a sanitizer sees any read beyond. */
	uint8_t *copy = malloc(len ? len : 1);

	memcpy(copy, data, len);
	fuzz.now = (struct input){ copy, len };
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
load_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t len;

	if (!file || fuzz.n_corpus == CORPUS_MAX) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	data = malloc(INPUT_MAX);
	len = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	fuzz.corpus[fuzz.n_corpus++] = (struct input){ data, len };
}

static void
load(const char *path)
{
	struct dirent **entries;
	struct stat info;
	char name[1000];
	int n;

	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
		load_file(path);
		return;
	}
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0) {
		fprintf(stderr, "cannot read %s\n", path);
		exit(2);
	}
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.') {
			snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
			load_file(name);
		}
		free(entries[i]);
	}
	free(entries);
}

static void
insert(struct input *it, size_t at, const void *p, size_t len)
{
	if (it->len + len > INPUT_MAX)
		return;
	memmove(it->data + at + len, it->data + at, it->len - at);
	memcpy(it->data + at, p, len);
	it->len += len;
}

static void
insert_token(struct input *it, size_t at)
{
	size_t n = 0;
	const char *token;

	if (!fuzz_tokens)
		return;
	while (fuzz_tokens[n])
		n++;
	token = fuzz_tokens[next_below(n)];
	insert(it, at, token, strlen(token));
}

/* Part of another input of the corpus. */
static void
insert_part(struct input *it, size_t at)
{
	const struct input *other = &fuzz.corpus[next_below(fuzz.n_corpus)];
	size_t from = next_below(other->len + 1);

	insert(it, at, other->data + from, next_below(other->len - from + 1));
}

static void
mutate(struct input *it)
{
	static const uint8_t edges[] = { 0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x5c, 0x7f, 0x80,
		0xff };
	size_t at = next_below(it->len + 1), n;
	uint8_t byte;

	switch (next_below(8)) {
	case 0:
		if (at < it->len)
			it->data[at] ^= (uint8_t)(1u << next_below(8));
		break;
	case 1:
		if (at < it->len)
			it->data[at] = edges[next_below(sizeof edges)];
		break;
	case 2:
		byte = (uint8_t)next_below(256);
		insert(it, at, &byte, 1);
		break;
	case 3:
		n = next_below(it->len - at + 1);
		memmove(it->data + at, it->data + at + n, it->len - at - n);
		it->len -= n;
		break;
	case 4:
		insert_part(it, at);
		break;
	case 5:
		insert_token(it, at);
		break;
	case 6:
		it->len = at;
		break;
	default:
		if (at < it->len)
			it->data[at] = (uint8_t)next_below(256);
	}
}

static void
mutations(uint64_t runs, unsigned seconds)
{
	static uint8_t space[INPUT_MAX];
	time_t end = time(NULL) + (time_t)seconds;

	for (uint64_t i = 0; i < runs; i++) {
		const struct input *from = &fuzz.corpus[next_below(fuzz.n_corpus)];
		struct input it = { space, from->len };

		memcpy(space, from->data, from->len);
		for (uint64_t n = 1 + next_below(6); n > 0; n--)
			mutate(&it);
		run(it.data, it.len);
		if (i % 256 == 0 && time(NULL) > end) {
			printf("time is up after %" PRIu64 " runs\n", i);
			return;
		}
	}
}

int
main(int argc, char **argv)
{
	static uint8_t nothing[1];
	uint64_t runs = 20000, seed = 1;
	unsigned seconds = 20;
	const char *slash = strrchr(argv[0], '/');
	int option;

	while ((option = getopt(argc, argv, "n:s:t:")) != -1) {
		if (option == 'n')
			runs = strtoull(optarg, NULL, 10);
		else if (option == 's')
			seed = strtoull(optarg, NULL, 10);
		else if (option == 't')
			seconds = (unsigned)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	fuzz.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	snprintf(fuzz.crash_path, sizeof fuzz.crash_path, "crash-%.150s",
	    slash ? slash + 1 : argv[0]);
	fuzz.corpus[fuzz.n_corpus++] = (struct input){ nothing, 0 };
	for (int i = optind; i < argc; i++)
		load(argv[i]);
	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(keep_input);
	else
		signal(SIGSEGV, on_signal);
	for (size_t i = 0; i < fuzz.n_corpus; i++)
		run(fuzz.corpus[i].data, fuzz.corpus[i].len);
	mutations(runs, seconds);
	printf("%zu corpus inputs, %" PRIu64 " mutations, seed %" PRIu64 ": fine\n",
	    fuzz.n_corpus, runs, seed);
	return 0;
}
