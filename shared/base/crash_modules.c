/* crash_modules.c - the executable and its libraries, as the loader placed them, put
 * into words at the start: where, how large, and the build id by which their symbols
 * are found (the note NT_GNU_BUILD_ID; elf(5), dl_iterate_phdr(3)). A library that is
 * loaded later (name services) is missing; the maps name it. */
#include "crash_inside.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <trl/crash_file.h>

enum { BUILD_BYTES = 20 };

struct finding {
	struct crash_prepared *prepared;
	size_t len;
	char *build; /* of the executable */
	bool first;
};

static void
hex(const uint8_t *bytes, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* The build id in a segment of notes, as hex; "-": none. */
static void
find_build(const uint8_t *notes, size_t len, char out[48])
{
	size_t at = 0;

	while (at + sizeof(ElfW(Nhdr)) <= len) {
		const ElfW(Nhdr) *note = (const void *)(notes + at);
		size_t name = at + sizeof *note;
		size_t desc = name + ((note->n_namesz + 3u) & ~3u);

		at = desc + ((note->n_descsz + 3u) & ~3u);
		if (at > len)
			return;
		if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
		    note->n_descsz >= 8 && note->n_descsz <= BUILD_BYTES &&
		    memcmp(notes + name, "GNU", 4) == 0)
			hex(notes + desc, note->n_descsz, out);
	}
}

static void
add_code(struct finding *f, uint64_t from, uint64_t size)
{
	struct crash_prepared *p = f->prepared;

	if (p->n_codes < CRASH_CODES)
		p->codes[p->n_codes++] = (struct crash_code){ from, from + size, 0 };
}

static int
find(struct dl_phdr_info *info, size_t size, void *self)
{
	struct finding *f = self;
	struct crash_prepared *p = f->prepared;
	uint64_t low = UINT64_MAX, high = 0, index = 0;
	size_t before = p->n_codes;
	char build[48] = "-", path[256] = "";
	int n;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uint64_t at = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type == PT_NOTE)
			find_build((const void *)(uintptr_t)at, ph->p_memsz, build);
		if (ph->p_type == PT_GNU_EH_FRAME)
			index = at;
		if (ph->p_type != PT_LOAD)
			continue;
		low = at < low ? at : low;
		high = at + ph->p_memsz > high ? at + ph->p_memsz : high;
		if ((ph->p_flags & PF_X) != 0)
			add_code(f, at, ph->p_memsz);
	}
	for (size_t i = before; i < p->n_codes; i++)
		p->codes[i].index = index;
	if (f->first) {
		if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
			snprintf(path, sizeof path, "?");
		snprintf(f->build, 48, "%s", build);
	} else {
		snprintf(path, sizeof path, "%s",
		    info->dlpi_name[0] != '\0' ? info->dlpi_name : "?");
	}
	f->first = false;
	path[strcspn(path, "\n")] = '\0';
	n = snprintf(p->modules + f->len, sizeof p->modules - f->len,
	    "module 0x%llx 0x%llx 0x%llx %s %s\n", (unsigned long long)low,
	    (unsigned long long)(high - low), (unsigned long long)info->dlpi_addr,
	    build, path);
	if (n < 0 || (size_t)n >= sizeof p->modules - f->len) {
		p->modules[f->len] = '\0'; /* no half lines */
		return 1;
	}
	f->len += (size_t)n;
	return 0;
}

void
crash_modules_find(struct crash_prepared *prepared, char build[48])
{
	struct finding f = { .prepared = prepared, .build = build, .first = true };

	prepared->n_codes = 0;
	prepared->modules[0] = '\0';
	snprintf(build, 48, "-");
	dl_iterate_phdr(find, &f);
}

void
trl_build_id_of(const char *path, char out[44])
{
	uint8_t notes[4096];
	char build[48] = "";
	ElfW(Ehdr) head;
	ElfW(Phdr) ph;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? pread(fd, &head, sizeof head, 0) : -1;
	size_t count = 0;

	if (n == sizeof head && memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	    head.e_phentsize == sizeof ph)
		count = head.e_phnum;
	for (size_t i = 0; i < count && build[0] == '\0'; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof ph);

		if (pread(fd, &ph, sizeof ph, at) != sizeof ph)
			break;
		if (ph.p_type != PT_NOTE || ph.p_filesz > sizeof notes)
			continue;
		n = pread(fd, notes, ph.p_filesz, (off_t)ph.p_offset);
		if (n > 0)
			find_build(notes, (size_t)n, build);
	}
	if (fd >= 0)
		close(fd);
	snprintf(out, 44, "%.43s", build);
}
