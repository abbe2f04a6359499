/*
 * Lets the sockets of a killed engine close at once, however much memory it holds.
 *
 * Linux frees the memory of a killed process before it closes its sockets: 16 ms for 150 MB, over 100 ms for 1 GiB. Only
 * then does the other engine see the death. The memory is freed by the last task that uses it. So a second task uses it
 * too, with no descriptor of its own. When the engine is killed, its sockets close first; then the second task ends, and
 * the memory is freed.
 *
 * The second task sleeps all its life. Its end: the kernel tells it that its parent's thread died [PR_SET_PDEATHSIG]. The
 * other threads of Node may still be alive then and hold the sockets, so it waits, by a pidfd, until the whole process is
 * gone.
 *
 * It shares the memory, thus also `errno` and all else that the C library keeps for the thread that started it. So it
 * calls the kernel by itself, and nothing of the C library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <node_api.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 65536
/* Size of the kernel's own signal set, not of the C library's. */
#define SIGSET_BYTES 8
#define DEATH_SIGNAL SIGTERM
/* A thread may end while the process lives on; then the second task goes back to sleep after this time. */
#define LOOK_MS 1000
#define READY_WITHIN_MS 1000

/* 0: starting; 1: asleep; below 0: the errno, negated, that kept it from starting. */
static int progress;
static pid_t second;

static long kernel(long number, long a, long b, long c, long d, long e) {
#if defined(__x86_64__)
  long answer;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  __asm__ volatile("syscall"
                   : "=a"(answer)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return answer;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
  return x0;
#else
#error "only for x86_64 and aarch64"
#endif
}

static void end(void) { kernel(SYS_exit_group, 0, 0, 0, 0, 0); }

static void progressed(int to) { __atomic_store_n(&progress, to, __ATOMIC_RELEASE); }

/* The second task. Every signal but SIGKILL and SIGSTOP is blocked in it, so it catches none of Node's. */
static int keep_memory(void *argument) {
  const long engine = (long)argument;
  long failed = kernel(SYS_close_range, 0, ~0U, 0, 0, 0);
  if (failed == 0) failed = kernel(SYS_prctl, PR_SET_PDEATHSIG, DEATH_SIGNAL, 0, 0, 0);
  if (failed != 0) {
    progressed((int)failed);
    end();
  }
  kernel(SYS_prctl, PR_SET_NAME, (long)"fast-death", 0, 0, 0);
  /* Its working folder would keep a disk from being unmounted. */
  kernel(SYS_chdir, (long)"/", 0, 0, 0, 0);
  progressed(1);
  const unsigned long awaited = 1UL << (DEATH_SIGNAL - 1);
  /* The parent is another one once the engine is dead, even if it died before PR_SET_PDEATHSIG. */
  while (kernel(SYS_getppid, 0, 0, 0, 0, 0) == engine) {
    kernel(SYS_rt_sigtimedwait, (long)&awaited, 0, 0, SIGSET_BYTES, 0);
    const long process = kernel(SYS_pidfd_open, engine, 0, 0, 0, 0);
    if (process < 0) continue;
    struct pollfd whole = {.fd = (int)process, .events = POLLIN};
    const struct timespec most = {.tv_sec = LOOK_MS / 1000};
    kernel(SYS_ppoll, (long)&whole, 1, (long)&most, 0, SIGSET_BYTES);
    kernel(SYS_close, process, 0, 0, 0, 0);
  }
  end();
  return 0;
}

/* Starts the second task and waits until it sleeps. Returns its process id, or an errno, negated. */
static int start(void) {
  char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  progressed(0);
  const int id = clone(keep_memory, stack + STACK_BYTES, CLONE_VM, (void *)(long)getpid());
  const int failed = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (id < 0) {
    munmap(stack, STACK_BYTES);
    return -failed;
  }
  const struct timespec moment = {.tv_nsec = 100000};
  for (int looks = 0; looks < READY_WITHIN_MS * 10; looks += 1) {
    const int now = __atomic_load_n(&progress, __ATOMIC_ACQUIRE);
    if (now != 0) return now < 0 ? now : id;
    nanosleep(&moment, NULL);
  }
  return -ETIMEDOUT;
}

/* start(): the process id of the second task. A second call starts nothing. Throws with the words of the errno. */
static napi_value start_once(napi_env env, napi_callback_info info) {
  (void)info;
  if (second == 0) {
    const int id = start();
    if (id < 0) {
      napi_throw_error(env, NULL, strerror(-id));
      return NULL;
    }
    second = id;
  }
  napi_value result;
  if (napi_create_int32(env, second, &result) != napi_ok) return NULL;
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function;
  if (napi_create_function(env, "start", NAPI_AUTO_LENGTH, start_once, NULL, &function) != napi_ok) return NULL;
  if (napi_set_named_property(env, exports, "start", function) != napi_ok) return NULL;
  return exports;
}
