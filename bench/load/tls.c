#include "tls.h"

#include <err.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>

// What every server knows, and cheap: what is compared is the proxies, not their taste.
#define CIPHER "TLS_AES_128_GCM_SHA256"
#define GROUP "X25519"

struct tls_counts tls_counts;
static SSL_CTX *context;
static SSL_SESSION *ticket;
static bool keeps_tickets;

// 1: the session is ours from now on.
static int ticket_arrived(SSL *ssl, SSL_SESSION *session) {
  (void)ssl;
  if (!keeps_tickets) return 0;
  SSL_SESSION_free(ticket);
  ticket = session;
  return 1;
}

static SSL_CTX *make_context(void) {
  SSL_CTX *made = SSL_CTX_new(TLS_client_method());
  if (made == NULL || SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(made, CIPHER) != 1 || SSL_CTX_set1_groups_list(made, GROUP) != 1) {
    errx(1, "OpenSSL: %s", ERR_reason_error_string(ERR_get_error()));
  }
  SSL_CTX_set_mode(made, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(made, ticket_arrived);
  // A peer that only closes its socket has said its end: MQTT has a DISCONNECT of its own.
  SSL_CTX_set_options(made, SSL_OP_IGNORE_UNEXPECTED_EOF);
  return made;
}

void tls_begin(bool resume) {
  // OpenSSL writes without MSG_NOSIGNAL.
  signal(SIGPIPE, SIG_IGN);
  if (context == NULL) context = make_context();
  SSL_SESSION_free(ticket);
  ticket = NULL;
  keeps_tickets = resume;
  tls_counts = (struct tls_counts){0, 0};
}

static int failed(int code) {
  errno = code;
  return -1;
}

// The answer of a read or a write that moved nothing. 0: the end; -1: errno says why.
static int outcome(SSL *ssl, int result) {
  // Set by the system call, if there was one.
  int system_code = errno;
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return failed(EAGAIN);
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    case SSL_ERROR_SYSCALL:
      return failed(system_code == 0 ? ECONNRESET : system_code);
    default:
      return failed(EPROTO);
  }
}

static void open_session(struct wire *wire) {
  SSL *ssl = SSL_new(context);
  if (ssl == NULL || SSL_set_fd(ssl, wire->fd) != 1) errx(1, "OpenSSL: no memory");
  SSL_set_connect_state(ssl);
  wire->session = ssl;
  if (ticket == NULL) return;
  // A copy: OpenSSL marks what a handshake has used, and many begin before the next ticket is there.
  SSL_SESSION *copy = SSL_SESSION_dup(ticket);
  if (copy == NULL || SSL_set_session(ssl, copy) != 1) errx(1, "OpenSSL: no memory");
  SSL_SESSION_free(copy);
}

static int tls_shake(struct wire *wire) {
  if (wire->session == NULL) {
    int connected = plain_wire.shake(wire);
    if (connected != 1) return connected;
    open_session(wire);
  }
  SSL *ssl = wire->session;
  ERR_clear_error();
  errno = 0;
  int result = SSL_do_handshake(ssl);
  if (result == 1) {
    if (SSL_session_reused(ssl)) tls_counts.resumed += 1;
    else tls_counts.full += 1;
    return 1;
  }
  if (outcome(ssl, result) == 0) return failed(ECONNRESET);
  return errno == EAGAIN ? 0 : -1;
}

static ssize_t tls_read(struct wire *wire, void *bytes, size_t size) {
  size_t count;
  ERR_clear_error();
  errno = 0;
  int result = SSL_read_ex(wire->session, bytes, size, &count);
  return result == 1 ? (ssize_t)count : outcome(wire->session, result);
}

static ssize_t tls_write(struct wire *wire, const void *bytes, size_t size) {
  size_t count;
  ERR_clear_error();
  errno = 0;
  int result = SSL_write_ex(wire->session, bytes, size, &count);
  if (result == 1) return (ssize_t)count;
  return outcome(wire->session, result) == 0 ? failed(EPIPE) : -1;
}

static void tls_finish(struct wire *wire) {
  ERR_clear_error();
  if (wire->session != NULL && SSL_is_init_finished(wire->session)) SSL_shutdown(wire->session);
  shutdown(wire->fd, SHUT_WR);
}

static void tls_release(struct wire *wire) {
  if (wire->session == NULL) return;
  // However it ended: OpenSSL would never use the ticket of a connection again that had no proper end.
  SSL_set_shutdown(wire->session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(wire->session);
  wire->session = NULL;
}

// What TLS carries must be decrypted before it can be thrown away.
const struct wire_kind tls_wire = {tls_shake, tls_read, tls_write, NULL, tls_finish, tls_release, false};
