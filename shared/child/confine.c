/* confine.c - see confine.h. The list of calls is one of what is allowed: whatever a
 * kernel learns tomorrow is refused. */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>

#include <trl/compiler.h>

#if defined(__SANITIZE_ADDRESS__)
#define TRL_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TRL_ASAN
#endif
#endif

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

enum { DESCRIPTORS_MAX = 64 };

/* Beside its memory: programs, files, and what threads reserve and do not use. */
#define ADDRESSES ((rlim_t)512 << 20)

static void
set_limit(int which, rlim_t most)
{
	const struct rlimit limit = { most, most };

	trl_assert(setrlimit((__rlimit_resource_t)which, &limit) == 0);
}

/* Whoever is to go when memory is short (proc(5)); where /proc is missing or may not be
 * written, the kernel chooses by itself. */
static void
go_first(void)
{
	const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (file < 0)
		return;
	if (write(file, "1000", 4) != 4)
		trl_assert(errno == EACCES || errno == EPERM || errno == EROFS);
	close(file);
}

void
confine_limits(size_t memory_max)
{
	go_first();
	set_limit(RLIMIT_CORE, 0);
	set_limit(RLIMIT_FSIZE, 0);
	set_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
#ifdef TRL_ASAN
	(void)memory_max;
#else
	set_limit(RLIMIT_DATA, memory_max);
	set_limit(RLIMIT_AS, memory_max + ADDRESSES);
#endif
	trl_assert(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	trl_assert(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
}

/* Something came, or the other end is closed: of that nothing can be read. */
static void
on_socket(int number)
{
	const int error = errno;
	char byte;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	const ssize_t n = recvmsg(0, &message, MSG_PEEK | MSG_DONTWAIT);

	(void)number;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		_exit(0); /* an error: what was said is left unread */
	errno = error;
}

/* Not PR_SET_PDEATHSIG: that is told of the thread that started it. */
void
confine_life(void)
{
	struct sigaction action = { .sa_flags = SA_RESTART };

	action.sa_handler = on_socket;
	trl_assert(sigaction(SIGIO, &action, NULL) == 0);
	trl_assert(fcntl(0, F_SETOWN, getpid()) == 0);
	trl_assert(fcntl(0, F_SETFL, O_ASYNC) == 0);
	on_socket(SIGIO); /* before somebody listened */
}

static void
allow_below(int rules, const char *folder)
{
	struct landlock_path_beneath_attr below = { .allowed_access =
							LANDLOCK_ACCESS_FS_READ_FILE |
							LANDLOCK_ACCESS_FS_READ_DIR };

	below.parent_fd = open(folder, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (below.parent_fd < 0)
		return; /* is not there */
	trl_assert(syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH,
		       &below, 0) == 0);
	close(below.parent_fd);
}

void
confine_files(const char *const *reads)
{
	/* All of its first version: everything that is not allowed below. */
	const struct landlock_ruleset_attr all = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1
	};
	int rules = (int)syscall(
	    SYS_landlock_create_ruleset, &all, sizeof all.handled_access_fs, 0);

	if (rules < 0) {
		trl_assert(errno == ENOSYS || errno == EOPNOTSUPP);
		return;
	}
	for (; *reads; reads++)
		allow_below(rules, *reads);
	trl_assert(syscall(SYS_landlock_restrict_self, rules, 0) == 0);
	close(rules);
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the calls of this processor are not known here"
#endif

#define LOAD(field)                                                                    \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define REFUSE(number)                                                                 \
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((number)&SECCOMP_RET_DATA))
/* The call nr, whatever its arguments. */
#define MAY(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), ALLOW
/* Only where the low half of an argument has none of these bits; the number is loaded
 * again for what follows. */
#define MAY_WITHOUT(nr, arg, bits)                                                     \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 4), LOAD(args[arg]),              \
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 1, 0), ALLOW, REFUSE(EACCES)
/* Only where it has all of them: one bit. */
#define MAY_WITH(nr, arg, bit)                                                         \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 4), LOAD(args[arg]),              \
	    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bit), 0, 1), ALLOW, REFUSE(EPERM)
/* Only where the low half of an argument is value; may stand several times. */
#define MAY_WHERE(call, arg, value)                                                    \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4), LOAD(args[arg]),            \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, 1), ALLOW, LOAD(nr)
#define WRITING (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

static const struct sock_filter calls[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	/* Its socket, and files to read. */
	MAY(SYS_read),
	MAY(SYS_write),
	MAY(SYS_pread64),
	MAY(SYS_readv),
	MAY(SYS_writev),
	MAY(SYS_lseek),
	MAY(SYS_close),
	/* Not what has another process signalled (F_SETOWN, F_SETSIG). */
	MAY_WHERE(SYS_fcntl, 1, F_GETFD),
	MAY_WHERE(SYS_fcntl, 1, F_SETFD),
	MAY_WHERE(SYS_fcntl, 1, F_GETFL),
	MAY_WHERE(SYS_fcntl, 1, F_DUPFD_CLOEXEC),
	MAY(SYS_fstat),
	MAY(SYS_newfstatat),
	MAY(SYS_statx),
	MAY(SYS_statfs),
	MAY(SYS_fstatfs),
	MAY(SYS_getdents64),
	MAY(SYS_faccessat),
	MAY(SYS_faccessat2),
	MAY(SYS_readlinkat),
	MAY(SYS_getcwd),
#ifdef SYS_stat
	MAY(SYS_stat),
	MAY(SYS_lstat),
	MAY(SYS_access),
	MAY(SYS_readlink),
#endif
	/* Memory and threads. */
	MAY(SYS_mmap),
	MAY(SYS_munmap),
	MAY(SYS_mremap),
	MAY(SYS_mprotect),
	MAY(SYS_madvise),
	MAY(SYS_brk),
	MAY(SYS_futex),
	MAY(SYS_set_robust_list),
	MAY(SYS_rseq),
	MAY(SYS_set_tid_address),
	MAY(SYS_gettid),
	MAY(SYS_getpid),
	MAY(SYS_sched_yield),
	MAY(SYS_sched_getaffinity),
	MAY(SYS_membarrier),
	MAY_WHERE(SYS_prctl, 0, PR_SET_NAME),
	MAY_WHERE(SYS_prctl, 0, PR_SET_VMA), /* libc names its memory */
	/* Time, chance, itself. */
	MAY(SYS_clock_gettime),
	MAY(SYS_clock_nanosleep),
	MAY(SYS_nanosleep),
	MAY(SYS_gettimeofday),
	MAY(SYS_getrandom),
	MAY(SYS_getuid),
	MAY(SYS_geteuid),
	MAY(SYS_getgid),
	MAY(SYS_getegid),
	MAY(SYS_uname),
	MAY(SYS_sysinfo),
	MAY(SYS_getrusage),
	MAY(SYS_getrlimit),
	MAY(SYS_setrlimit),
	MAY(SYS_rt_sigaction),
	MAY(SYS_rt_sigprocmask),
	MAY(SYS_rt_sigreturn),
	MAY(SYS_sigaltstack),
	MAY(SYS_exit),
	MAY(SYS_exit_group),
	/* Only to read, only threads, only its own: of abort() what remains is a trap.
	 */
	MAY_WITHOUT(SYS_openat, 2, WRITING),
#ifdef SYS_open
	MAY_WITHOUT(SYS_open, 1, WRITING),
#endif
	MAY_WITH(SYS_clone, 0, CLONE_THREAD),
	MAY_WITHOUT(SYS_recvmsg, 0, 0xffffffff), /* its socket, for a file */
	MAY_WITHOUT(SYS_prlimit64, 0, 0xffffffff),
	REFUSE(ENOSYS),
};

void
confine_calls(void)
{
	const struct sock_fprog program = { TRL_COUNT(calls),
		(struct sock_filter *)(uintptr_t)calls };

#ifdef TRL_ASAN
	/* Its leak checker traces the process from outside when it ends. */
	(void)program;
#else
	/* Also of the threads that libraries have made by now. */
	trl_assert(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC, &program) == 0);
#endif
}
