const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const groups = {
  /** Processes and threads: start, end, wait. */
  processes: `
    fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid
    getsid setsid set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area restart_syscall
    rseq membarrier prctl uname sysinfo getcpu getrusage times pidfd_open pidfd_send_signal process_mrelease seccomp
    landlock_create_ruleset landlock_add_rule landlock_restrict_self riscv_hwprobe uretprobe map_shadow_stack`,
  /** Scheduling and limits. */
  scheduling: `
    sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
    sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
    sched_rr_get_interval_time64 getpriority setpriority ioprio_get ioprio_set getrlimit ugetrlimit setrlimit prlimit64`,
  /** Users, groups, capabilities. */
  identity: `
    getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32
    setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32
    setfsuid setfsuid32 setfsgid setfsgid32 getgroups getgroups32 setgroups setgroups32 capget capset`,
  /** Signals. */
  signals: `
    kill tkill tgkill pause alarm sigaltstack sigprocmask sigreturn rt_sigaction rt_sigpending rt_sigprocmask
    rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo
    signalfd signalfd4`,
  /** Memory. */
  memory: `
    brk mmap mmap2 munmap mremap mprotect madvise mincore msync mlock mlock2 mlockall munlock munlockall mseal
    remap_file_pages pkey_alloc pkey_free pkey_mprotect memfd_create memfd_secret`,
  /** Clocks and timers; setting the clock needs CAP_SYS_TIME. */
  time: `
    time gettimeofday adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime
    clock_gettime64 clock_nanosleep clock_nanosleep_time64 nanosleep getitimer setitimer timer_create timer_delete
    timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
    timerfd_gettime64 timerfd_settime timerfd_settime64`,
  /** Waiting on descriptors and futexes. */
  waiting: `
    poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl
    epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 futex futex_time64 futex_wait
    futex_waitv futex_wake futex_requeue inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark`,
  /** Opening, reading and writing. */
  content: `
    open openat openat2 creat close close_range dup dup2 dup3 pipe pipe2 fcntl fcntl64 ioctl flock read readv pread64
    preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek readahead fadvise64 fadvise64_64 fallocate
    truncate truncate64 ftruncate ftruncate64 sendfile sendfile64 copy_file_range splice tee vmsplice sync syncfs fsync
    fdatasync sync_file_range cachestat io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents
    io_pgetevents_time64`,
  /** Names in the file system. */
  names: `
    access faccessat faccessat2 stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64
    fstatfs fstatfs64 statmount listmount getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir mknod mknodat
    link linkat unlink unlinkat rename renameat renameat2 symlink symlinkat readlink readlinkat name_to_handle_at
    chmod fchmod fchmodat fchmodat2 umask chown chown32 fchown fchown32 fchownat lchown lchown32 utime utimes
    futimesat utimensat utimensat_time64`,
  /** Extended attributes. */
  attributes: `
    getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr
    listxattrat removexattr lremovexattr fremovexattr removexattrat`,
  /** Sockets; making one is conditional. */
  sockets: `
    socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt
    send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64`,
  /** System V and POSIX message passing, randomness. */
  messages: `
    ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
    mq_open mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64
    getrandom`,
  /** Debugging of one's own processes: safe since Linux 4.8 checks after the filter has seen the final call. */
  debugging: `
    ptrace process_vm_readv process_vm_writev`,
};

/**
 * System calls that every container may make, by purpose: none of them reaches beyond what the container's
 * namespaces and capabilities hold anyway. The names are those of libseccomp; the 32-bit variants stand beside
 * their 64-bit ones, and names that an architecture or a library does not know count for nothing.
 */
export const alwaysAllowed: readonly string[] = Object.values(groups).flatMap(words);

/** Allowed together with a capability in the container's bounding set. */
export const allowedByCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: ['bpf'],
  CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
  CAP_PERFMON: ['perf_event_open'],
  CAP_SYSLOG: ['syslog'],
  CAP_SYS_ADMIN: words(`
    mount umount umount2 mount_setattr move_mount open_tree fsopen fsconfig fsmount fspick quotactl quotactl_fd
    clone clone3 unshare setns sethostname setdomainname bpf perf_event_open syslog fanotify_init lookup_dcookie
    lsm_get_self_attr lsm_set_self_attr lsm_list_modules`),
  CAP_SYS_BOOT: ['reboot'],
  CAP_SYS_CHROOT: ['chroot'],
  CAP_SYS_MODULE: ['init_module', 'finit_module', 'delete_module'],
  CAP_SYS_NICE: ['get_mempolicy', 'mbind', 'set_mempolicy', 'set_mempolicy_home_node'],
  CAP_SYS_PACCT: ['acct'],
  CAP_SYS_PTRACE: words('ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp'),
  CAP_SYS_RAWIO: ['ioperm', 'iopl'],
  CAP_SYS_TIME: ['clock_settime', 'clock_settime64', 'settimeofday', 'stime'],
  CAP_SYS_TTY_CONFIG: ['vhangup'],
};

/** Allowed on one architecture only (Go's names, as in an image's platform). */
export const allowedByArchitecture: Readonly<Record<string, readonly string[]>> = {
  amd64: ['arch_prctl', 'modify_ldt'],
  arm64: words('arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls'),
  ppc64le: ['sync_file_range2', 'swapcontext'],
  riscv64: ['riscv_flush_icache'],
  s390x: ['s390_pci_mmio_read', 's390_pci_mmio_write', 's390_runtime_instr'],
};
