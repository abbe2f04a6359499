/*
 * A small video switcher in C, driven by Changeover's HTTP hooks: one file, no library but libc and pthreads.
 * It keeps what is on programme, and the identity (epoch, seq) of the last command, which counts once.
 *
 *   cc -O2 -pthread -o engine engine.c && ./engine 9101
 *
 * What each hook must do: docs/engines.md. One thread serves one connection; one lock guards the state.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_HEAD 16384
#define MAX_BODY (1 << 20)
#define MAX_SOURCE 256
#define LIFELINE_NS 10000000 /* half of what Changeover expects */

static struct {
  char program[MAX_SOURCE], preview[MAX_SOURCE]; /* as JSON writes them, without the quotes */
  long long epoch, seq, cuts;
  int refused; /* whether the last command was refused: a repeat is answered as the first time */
} state = {"cam1", "cam2", 0, 0, 0, 0};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char instance[64]; /* changes with every start, so that Changeover sees that the state is lost */

/* ---- Just enough JSON: the members of an object, found without understanding their values. ---- */

static const char *space(const char *at) {
  while (isspace((unsigned char)*at)) at++;
  return at;
}

/* Behind the string that begins at `at`; NULL when it does not end. */
static const char *string_end(const char *at) {
  for (at++; *at != '\0'; at++) {
    if (*at == '\\' && at[1] != '\0') at++;
    else if (*at == '"') return at + 1;
  }
  return NULL;
}

/* Behind the value that begins at `at`. */
static const char *value_end(const char *at) {
  int depth = 0;
  for (at = space(at); *at != '\0'; at++) {
    if (*at == '"') {
      if ((at = string_end(at)) == NULL) return NULL;
      if (depth == 0) return at;
      at--;
    } else if (*at == '{' || *at == '[') depth++;
    else if (*at == '}' || *at == ']') {
      if (depth == 0) return at;
      if (--depth == 0) return at + 1;
    } else if (*at == ',' && depth == 0) return at;
  }
  return depth == 0 ? at : NULL;
}

/* The value of the member `name` of the object at `at`; NULL when there is none, or no object. */
static const char *member(const char *at, const char *name) {
  if (at == NULL || *(at = space(at)) != '{') return NULL;
  at = space(at + 1);
  while (*at == '"') {
    const char *end = string_end(at);
    if (end == NULL || *space(end) != ':') return NULL;
    const char *value = space(space(end) + 1);
    size_t length = (size_t)(end - at) - 2;
    if (strlen(name) == length && memcmp(at + 1, name, length) == 0) return value;
    if ((at = value_end(value)) == NULL || *(at = space(at)) != ',') return NULL;
    at = space(at + 1);
  }
  return NULL;
}

static int whole(const char *value, long long *into) {
  char *end;
  if (value == NULL || !isdigit((unsigned char)*value)) return 0;
  *into = strtoll(value, &end, 10);
  return *end != '.' && *end != 'e' && *end != 'E';
}

static int text(const char *value, char into[MAX_SOURCE]) {
  if (value == NULL || *value != '"') return 0;
  const char *end = string_end(value);
  if (end == NULL || end - value - 2 < 1 || end - value - 2 >= MAX_SOURCE) return 0;
  memcpy(into, value + 1, (size_t)(end - value) - 2);
  into[end - value - 2] = '\0';
  return 1;
}

static int is_text(const char *value, const char *expected) {
  char given[MAX_SOURCE];
  return text(value, given) && strcmp(given, expected) == 0;
}

/* ---- The switcher: nothing in it depends on the clock or on chance. ---- */

/* What is wrong with the command; NULL: it is done. */
static const char *execute(const char *command) {
  long long epoch, seq;
  char source[MAX_SOURCE];
  const char *kind = member(command, "kind");
  if (!whole(member(command, "epoch"), &epoch) || !whole(member(command, "seq"), &seq) || kind == NULL)
    return "command: must have epoch, seq and kind";
  const char *wrong = "payload.source: must be a string of 1 to 255 characters";
  if (epoch == state.epoch && seq == state.seq) return state.refused ? wrong : NULL;
  if (epoch < state.epoch || (epoch == state.epoch && seq < state.seq)) return NULL;
  int cut = is_text(kind, "POST /api/switch/cut"), preview = is_text(kind, "POST /api/switch/preview");
  int good = text(member(member(command, "payload"), "source"), source);
  state.epoch = epoch;
  state.seq = seq;
  state.refused = (cut || preview) && !good;
  if (state.refused) return wrong;
  if (cut && strcmp(source, state.program) != 0) {
    memcpy(state.preview, state.program, MAX_SOURCE);
    memcpy(state.program, source, MAX_SOURCE);
    state.cuts++;
  } else if (preview) memcpy(state.preview, source, MAX_SOURCE);
  return NULL;
}

static const char *restore(const char *given) {
  char program[MAX_SOURCE], preview[MAX_SOURCE];
  long long epoch, seq, cuts, refused;
  if (!text(member(given, "program"), program) || !text(member(given, "preview"), preview) ||
      !whole(member(given, "epoch"), &epoch) || !whole(member(given, "seq"), &seq) ||
      !whole(member(given, "cuts"), &cuts) || !whole(member(given, "refused"), &refused))
    return "state: must have program, preview, epoch, seq, cuts and refused";
  memcpy(state.program, program, MAX_SOURCE);
  memcpy(state.preview, preview, MAX_SOURCE);
  state.epoch = epoch;
  state.seq = seq;
  state.cuts = cuts;
  state.refused = refused != 0;
  return NULL;
}

static int snapshot(char *into, size_t size) {
  return snprintf(into, size, "{\"program\":\"%s\",\"preview\":\"%s\",\"epoch\":%lld,\"seq\":%lld,\"cuts\":%lld,\"refused\":%d}",
                  state.program, state.preview, state.epoch, state.seq, state.cuts, state.refused);
}

/* How it is. Made under the lock: while the switcher hangs, no report comes. */
static int report(char *into, size_t size) {
  pthread_mutex_lock(&lock);
  int length = snprintf(into, size,
                        "{\"status\":\"ok\",\"programSource\":\"%s\",\"position\":{\"epoch\":%lld,\"seq\":%lld},\"instance\":\"%s\"}\n",
                        state.program, state.epoch, state.seq, instance);
  pthread_mutex_unlock(&lock);
  return length;
}

/* ---- HTTP/1.1 with kept connections. ---- */

static int send_all(int to, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t sent = send(to, bytes, length, MSG_NOSIGNAL);
    if (sent <= 0) return 0;
    bytes += sent;
    length -= (size_t)sent;
  }
  return 1;
}

static int answer(int to, int status, const char *body) {
  char out[4096];
  int length = snprintf(out, sizeof out, "HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                        status, status == 200 ? "OK" : "Refused", strlen(body), body);
  return length > 0 && (size_t)length < sizeof out && send_all(to, out, (size_t)length);
}

static int answer_error(int to, int status, const char *error) {
  char body[512];
  snprintf(body, sizeof body, "{\"error\":\"%s\"}", error);
  return answer(to, status, body);
}

static void lifeline(int to) {
  static const char head[] = "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\nconnection: close\r\n\r\n";
  const struct timespec pause = {0, LIFELINE_NS};
  char out[2048];
  if (!send_all(to, head, sizeof head - 1)) return;
  while (send_all(to, out, (size_t)report(out, sizeof out))) nanosleep(&pause, NULL);
}

/* One request; 0 when the connection has ended. */
static int serve(int to, const char *method, const char *path, const char *body) {
  char out[2048];
  const char *error = NULL;
  int get = strcmp(method, "GET") == 0, post = strcmp(method, "POST") == 0;
  if (get && strcmp(path, "/health") == 0) {
    report(out, sizeof out);
    return answer(to, 200, out);
  }
  if (get && strcmp(path, "/lifeline") == 0) {
    lifeline(to);
    return 0;
  }
  if (get && strcmp(path, "/snapshot") == 0) {
    pthread_mutex_lock(&lock);
    snapshot(out, sizeof out);
    pthread_mutex_unlock(&lock);
    return answer(to, 200, out);
  }
  if (post && (strcmp(path, "/execute") == 0 || strcmp(path, "/restore") == 0)) {
    int executes = strcmp(path, "/execute") == 0;
    if (value_end(body) == NULL || *space(body) != '{') return answer_error(to, 400, "body: must be a JSON object");
    pthread_mutex_lock(&lock);
    error = executes ? execute(body) : restore(body);
    pthread_mutex_unlock(&lock);
    return error == NULL ? answer(to, 200, "{}") : answer_error(to, executes ? 422 : 400, error);
  }
  /* This switcher drives nothing outside, so it takes no notice of its role. */
  if (post && strcmp(path, "/role") == 0) return answer(to, 200, "{}");
  return answer_error(to, 404, "nothing is known under this path");
}

static void *connection(void *given) {
  int from = (int)(long)given, on = 1;
  char *in = malloc(MAX_HEAD + MAX_BODY + 1);
  size_t held = 0;
  setsockopt(from, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (;;) {
    char *head = NULL;
    while (in != NULL && (in[held] = '\0', head = strstr(in, "\r\n\r\n")) == NULL && held < MAX_HEAD) {
      ssize_t got = recv(from, in + held, MAX_HEAD - held, 0);
      if (got <= 0) goto over;
      held += (size_t)got;
    }
    if (head == NULL) break;
    *head = '\0';
    size_t body_at = (size_t)(head - in) + 4, length = 0;
    for (char *row = strstr(in, "\r\n"); row != NULL; row = strstr(row, "\r\n")) {
      row += 2;
      if (strncasecmp(row, "content-length:", 15) == 0) length = strtoul(row + 15, NULL, 10);
    }
    if (length > MAX_BODY) {
      answer_error(from, 413, "body: too large");
      break;
    }
    while (held < body_at + length) {
      ssize_t got = recv(from, in + held, body_at + length - held, 0);
      if (got <= 0) goto over;
      held += (size_t)got;
    }
    char method[8] = "", path[256] = "";
    sscanf(in, "%7s %255[^ ?]", method, path);
    char next = in[body_at + length];
    in[body_at + length] = '\0';
    if (!serve(from, method, path, in + body_at)) break;
    in[body_at + length] = next;
    held -= body_at + length;
    memmove(in, in + body_at + length, held);
  }
over:
  free(in);
  close(from);
  return NULL;
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct timespec now;
  address.sin_port = htons((unsigned short)(argc > 1 ? atoi(argv[1]) : 9101)); /* 0 takes a free one */
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 64) != 0) {
    perror("cannot listen");
    return 1;
  }
  getsockname(listener, (struct sockaddr *)&address, &size);
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(instance, sizeof instance, "%ld-%lld-%ld", (long)getpid(), (long long)now.tv_sec, now.tv_nsec);
  signal(SIGPIPE, SIG_IGN);
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    int from = accept(listener, NULL, NULL);
    pthread_t thread;
    if (from < 0) continue;
    if (pthread_create(&thread, NULL, connection, (void *)(long)from) == 0) pthread_detach(thread);
    else close(from);
  }
}
