/* tls: see tls.h. */
#include "io/tls.h"
#include "base/mem.h"
#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <event2/util.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>

struct tls_client {
    SSL_CTX *context;
};

/* OpenSSL's words for an error of its queue; "" for 0. */
static const char *reason(unsigned long error)
{
    const char *text = error != 0 ? ERR_reason_error_string(error) : "";
    return text != NULL ? text : "unknown error";
}

struct tls_client *tls_client_new(const char *ca_file, bool is_trusting, struct err *err)
{
    bool is_of_system = ca_file == NULL || ca_file[0] == '\0';
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool is_read = true;
    if (context == NULL) {
        err_set(err, ERR_GENERAL, "TLS: %s", reason(ERR_get_error()));
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (!is_trusting) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        is_read = is_of_system ? SSL_CTX_set_default_verify_paths(context) == 1
                               : SSL_CTX_load_verify_file(context, ca_file) == 1;
    }
    if (!is_read) {
        err_set(err, ERR_GENERAL, "TLS: cannot read the certificates of %s: %s",
                is_of_system ? "the system" : ca_file, reason(ERR_peek_last_error()));
        ERR_clear_error();
        SSL_CTX_free(context);
        return NULL;
    }
    struct tls_client *client = mem_zalloc(sizeof *client);
    client->context = context;
    return client;
}

void tls_client_free(struct tls_client *client)
{
    if (client == NULL)
        return;
    SSL_CTX_free(client->context); /* each connection holds it, too */
    mem_free(client);
}

/* Whom the certificate must name. */
static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (is_address) /* an address is never sent as SNI (RFC 6066, 3) */
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct bufferevent *tls_client_open_take(struct tls_client *client, struct event_base *base,
                                         evutil_socket_t fd, const char *host)
{
    struct bufferevent *connection = NULL;
    SSL *ssl = SSL_new(client->context);
    if (ssl != NULL && expect_host(ssl, host))
        connection = bufferevent_openssl_socket_new(base, fd, ssl, BUFFEREVENT_SSL_CONNECTING,
                                                    BEV_OPT_CLOSE_ON_FREE);
    if (connection == NULL) {
        SSL_free(ssl);
        evutil_closesocket(fd);
        ERR_clear_error();
    }
    return connection;
}

void tls_client_why(struct bufferevent *connection, char *out, size_t size)
{
    int error = EVUTIL_SOCKET_ERROR();
    SSL *ssl = bufferevent_openssl_get_ssl(connection);
    long verified = ssl != NULL ? SSL_get_verify_result(ssl) : X509_V_OK;
    unsigned long first = bufferevent_get_openssl_error(connection);
    if (verified != X509_V_OK)
        snprintf(out, size, "certificate refused: %s", X509_verify_cert_error_string(verified));
    else if (first != 0)
        snprintf(out, size, "%s", reason(first));
    else
        snprintf(out, size, "%s", error != 0 ? strerror(error) : "closed by peer");
    ERR_clear_error();
}
