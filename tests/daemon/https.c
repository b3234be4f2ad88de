/* https: what a daemon asks of servers by HTTPS: lists, probes, cleaning. Certificates are looked
 * at. */
#include "tests/lib/certificate.h"
#include "tests/lib/rig.h"
#include "tests/lib/until.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rig rig;
static struct node *node;
static struct client *c;
static char ca_path[200];
static int port;
static pid_t server;

/* Answers each request with two lines; says in the file `asked` which it was. */
static void answer(SSL *peer)
{
    static const char reply[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\na\nb\n";
    char bytes[8192], path[200];
    int len = SSL_read(peer, bytes, sizeof bytes - 1);
    if (len <= 0)
        return;
    bytes[len] = '\0';
    snprintf(path, sizeof path, "%s/asked", rig.guard.dir);
    FILE *file = fopen(path, "a");
    fprintf(file, "%.*s\n", (int)strcspn(bytes, "\r"), bytes);
    fclose(file);
    SSL_write(peer, reply, (int)strlen(reply));
    SSL_shutdown(peer);
}

static void serve(int listener, SSL_CTX *tls)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *peer = SSL_new(tls);
        SSL_set_fd(peer, fd);
        if (SSL_accept(peer) == 1)
            answer(peer);
        SSL_free(peer);
        close(fd);
    }
}

static void set_up(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    rig_start(&rig);
    snprintf(ca_path, sizeof ca_path, "%s/ca.pem", rig.guard.dir);
    SSL_CTX *tls = certificate_new("DNS:localhost,IP:127.0.0.1", ca_path);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, len), 0);
    ck_assert_int_eq(listen(listener, 10), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    port = ntohs(address.sin_port);
    server = fork();
    if (server == 0)
        serve(listener, tls);
    SSL_CTX_free(tls);
    close(listener);
    node = rig_node(&rig);
}

static void tear_down(void)
{
    client_close(c);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    rig_end(&rig);
}

static void start(void)
{
    node_start(node);
    c = node_client(node);
}

static bool was_asked(const char *line)
{
    char path[200], seen[200];
    bool is_there = false;
    snprintf(path, sizeof path, "%s/asked", rig.guard.dir);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(seen, sizeof seen, file) != NULL)
        is_there = is_there || strncmp(seen, line, strlen(line)) == 0;
    if (file != NULL)
        fclose(file);
    return is_there;
}

START_TEST(a_pool_is_filled_from_a_server_that_is_trusted)
{
    node_option(node, "--pool:p.source=https://localhost:%d/list", port);
    node_option(node, "--pool:p.tls_ca=%s", ca_path);
    start();
    until(say_int(c, "POOL LEN p") == 2);
    ck_assert(was_asked("GET /list "));
}
END_TEST

START_TEST(a_server_that_nobody_vouches_for_fills_no_pool)
{
    node_option(node, "--pool:p.source=https://localhost:%d/list", port);
    node_option(node, "--pool:q.source=https://localhost:%d/list", port);
    node_option(node, "--pool:q.tls_verify=no");
    start();
    until(strstr(say(c, "POOL INFO p"), "certificate refused: self-signed certificate") != NULL);
    until(say_int(c, "POOL LEN q") == 2);
    expect(c, "POOL LEN p", "(integer) 0");
}
END_TEST

START_TEST(a_probe_by_https_believes_only_good_certificates)
{
    node_option(node, "--pool:p.probe=http");
    node_option(node, "--pool:p.probe_target=https://{resource}:%d/health", port);
    node_option(node, "--pool:p.probe_interval=0.2");
    node_option(node, "--pool:p.probe_fall=1");
    node_option(node, "--pool:p.max_unhealthy=100");
    node_option(node, "--pool:p.tls_ca=%s", ca_path);
    node_option(node, "--pool:q.probe=http");
    node_option(node, "--pool:q.probe_target=https://{resource}:%d/health", port);
    node_option(node, "--pool:q.probe_interval=0.2");
    node_option(node, "--pool:q.probe_fall=1");
    node_option(node, "--pool:q.max_unhealthy=100");
    start();
    expect(c, "POOL EXTEND p 127.0.0.1", "(integer) 1");
    expect(c, "POOL EXTEND q 127.0.0.1", "(integer) 1");
    until(rig_number(say(c, "POOL INFO p"), "healthy") == 1);
    until(strstr(say(c, "POOL STATUS q 127.0.0.1"), "certificate refused") != NULL);
    expect(c, "MALLOC q", "(nil)");
    expect(c, "MALLOC p", "'127.0.0.1'");
}
END_TEST

START_TEST(a_service_cleans_by_https)
{
    node_option(node, "--pool:p.on_free=https://localhost:%d/clean", port);
    node_option(node, "--pool:p.tls_ca=%s", ca_path);
    start();
    expect(c, "POOL EXTEND p a", "(integer) 1");
    expect(c, "MALLOC p", "'a'");
    expect(c, "FREE p a", "(integer) 1");
    expect(c, "MALLOC p WAIT 0", "'a'");
    ck_assert(was_asked("POST /clean "));
}
END_TEST

int main(void)
{
    return RIG_RUN("https", set_up, tear_down, a_pool_is_filled_from_a_server_that_is_trusted,
                   a_server_that_nobody_vouches_for_fills_no_pool,
                   a_probe_by_https_believes_only_good_certificates, a_service_cleans_by_https);
}
