"""The filter of system calls that a program runs under: what computing, files and threads need.

Everything not named is answered with ENOSYS, as by a kernel that lacks it: `ptrace`, `mount`,
`unshare`, `setns`, `bpf`, `keyctl`, `perf_event_open`, `process_vm_*`, `io_uring_*`,
`userfaultfd`, `personality`, `kexec_*`, System V and POSIX message queues, shared memory and
semaphores, and sockets but for pairs of Unix sockets. Nor can those send descriptors (`sendmsg`):
ones sent in a circle would outlive the program.
"""

from __future__ import annotations

import errno
import tempfile

from iterpref_assets.core.errors import SandboxUnavailableError

_CLONE_NEW = 0x7E020080
"""Every namespace flag of `clone`: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET,
NEWTIME."""

_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what `isatty` and files ask for."""

_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1032)
"""F_DUPFD to F_SETLKW, F_OFD_*, F_DUPFD_CLOEXEC, F_GETPIPE_SZ: not F_SETOWN, which sends signals,
nor F_SETPIPE_SZ, since all of a user's pipes together hold only so much."""

ALLOWED = """
read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 lseek open openat creat
close close_range stat fstat lstat newfstatat statx access faccessat faccessat2 getdents getdents64
getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat
symlink symlinkat readlink readlinkat chmod fchmod fchmodat umask truncate ftruncate fallocate
listxattr llistxattr flistxattr getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr
fsync fdatasync sync_file_range fadvise64 utime utimes utimensat futimesat statfs fstatfs flock
copy_file_range sendfile splice tee dup dup2 dup3 pipe pipe2 poll ppoll select pselect6
epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd
signalfd4 timerfd_create timerfd_settime timerfd_gettime mmap munmap mprotect mremap madvise mincore
msync mlock munlock
brk membarrier futex futex_waitv set_robust_list get_robust_list rseq set_tid_address arch_prctl
rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend
rt_sigqueueinfo rt_tgsigqueueinfo sigaltstack restart_syscall kill tkill tgkill pause alarm
getitimer setitimer timer_create timer_settime timer_gettime timer_getoverrun timer_delete
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time times getrusage fork vfork
execve execveat exit exit_group wait4 waitid pidfd_open pidfd_send_signal getpid getppid gettid
getpgid getpgrp setpgid getsid setsid getuid geteuid getgid getegid getgroups getresuid getresgid
capget getrlimit setrlimit getpriority sched_yield sched_getaffinity
sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min
getcpu uname sysinfo getrandom prctl getsockname getpeername getsockopt
sendto recvfrom recvmsg recvmmsg shutdown
""".split()  # noqa: SIM905 - a list of 200 literals is no easier to read


_SIGNALS = frozenset(
    ["kill", "tkill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_send_signal"]
)
_METADATA = frozenset(
    """chmod fchmod fchmodat utime utimes utimensat futimesat setxattr lsetxattr fsetxattr
    """.split()  # noqa: SIM905
)
_ONLY_ITSELF = {"prlimit64": (0,), "sched_setaffinity": (0,), "setpriority": (0, 1)}
"""Calls that may name another process, and the arguments that must say "this one"."""

_UNIX = 1
"""AF_UNIX: of other families the kernel has no pairs, but would load their modules to find out."""
_CONNECTED = (1, 5)
"""SOCK_STREAM and SOCK_SEQPACKET: a pair of another type can send to any address."""


def build_filter(*, signals: bool = True, metadata: bool = True) -> bytes:
    """The filter as a BPF program for this machine's architecture.

    Args:
        signals: whether the program may send signals, which nothing here confines to its own
            processes.
        metadata: whether it may change modes, times and attributes of files, which Landlock does
            not confine to its own.

    Raises:
        SandboxUnavailableError: if libseccomp, which compiles it, is not installed.
    """
    try:
        import pyseccomp
    except RuntimeError as error:
        raise SandboxUnavailableError(
            "libseccomp is not installed", remedy="Install it (Debian: apt install libseccomp2)"
        ) from error
    rules = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.ENOSYS))
    denied = (frozenset() if signals else _SIGNALS) | (frozenset() if metadata else _METADATA)
    for name in sorted(set(ALLOWED) - denied):
        if pyseccomp.resolve_syscall(pyseccomp.system_arch(), name) >= 0:
            rules.add_rule(pyseccomp.ALLOW, name)
    no_namespaces = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_NEW, 0)
    rules.add_rule(pyseccomp.ALLOW, "clone", no_namespaces)
    for name, places in _ONLY_ITSELF.items():
        itself = [pyseccomp.Arg(place, pyseccomp.EQ, 0) for place in places]
        rules.add_rule(pyseccomp.ALLOW, name, *itself)
    for kind in _CONNECTED:
        pair = [
            pyseccomp.Arg(0, pyseccomp.EQ, _UNIX),
            pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xF, kind),
        ]
        rules.add_rule(pyseccomp.ALLOW, "socketpair", *pair)
    for name, commands in (("ioctl", _IOCTLS), ("fcntl", _FCNTLS)):
        for command in commands:
            rules.add_rule(pyseccomp.ALLOW, name, pyseccomp.Arg(1, pyseccomp.EQ, command))
    with tempfile.TemporaryFile() as compiled:
        rules.export_bpf(compiled)
        compiled.seek(0)
        return compiled.read()
