/* certificate: a server of TLS with a certificate of its own, and the file that trusts it.
 * Knows: OpenSSL.  Must not know: what is served. */
#ifndef TESTS_LIB_CERTIFICATE_H
#define TESTS_LIB_CERTIFICATE_H

#include <openssl/ssl.h>

/* Valid for this hour, for names such as "DNS:localhost,IP:127.0.0.1"; `ca_path` gets what trusts
 * it. SSL_CTX_free() it. Fails the test when that cannot be had. */
SSL_CTX *certificate_new(const char *names, const char *ca_path);

#endif
