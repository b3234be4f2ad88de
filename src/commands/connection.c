/* connection: PING ECHO AUTH HELLO SELECT RESET QUIT TIME. Words and shapes are Redis', so that its
 * client libraries find what they look for when they connect.
 * Knows: peer.h. */
#include "base/num.h"
#include "commands/check.h"
#include "commands/handlers.h"

void cmd_ping(struct ask *ask)
{
    if (ask->fixed_count == 0)
        reply_simple(ask->reply, "PONG");
    else
        reply_bulk(ask->reply, ask->fixed[0]);
}

void cmd_echo(struct ask *ask)
{
    reply_bulk(ask->reply, ask->fixed[0]);
}

void cmd_time(struct ask *ask)
{
    int64_t now_us = clock_wall_us(&ask->daemon->clock);

    reply_array(ask->reply, 2);
    reply_printf(ask->reply, "%lld", (long long)(now_us / 1000000));
    reply_printf(ask->reply, "%lld", (long long)(now_us % 1000000));
}

/* Of default without a password any is right, as with Redis' nopass. */
static bool is_login(const struct config *config, struct str user, struct str password)
{
    struct str wanted = str_of(config->server.requirepass);
    const struct user_config *named = config_user(config, user);

    if (str_eq(user, STR("default")))
        return str_is_empty(wanted) || str_eq_secret(password, wanted);
    return named != NULL && str_eq_secret(password, str_of(named->password));
}

static void become(struct peer_state *state, struct str user)
{
    state->is_logged_in = true;
    peer_set_text(&state->user, str_eq(user, STR("default")) ? STR("") : user);
}

static void refuse_login(struct ask *ask)
{
    ask_error(ask, ERR_WRONGPASS, "invalid username-password pair or user is disabled.");
}

void cmd_auth(struct ask *ask)
{
    bool has_user = ask->fixed_count == 2;
    struct str user = has_user ? ask->fixed[0] : STR("default");

    if (!has_user && ask->daemon->config.server.requirepass[0] == '\0') {
        ask_error(ask, ERR_GENERAL,
                  "AUTH <password> called without any password configured for the default user. "
                  "Are you sure your configuration is correct?");
    } else if (!is_login(&ask->daemon->config, user, ask->fixed[has_user])) {
        refuse_login(ask);
    } else {
        become(peer_state(ask->peer), user);
        reply_ok(ask->reply);
    }
}

/* What a HELLO asks for; nothing is done before all of it is found right. */
struct hello {
    int protocol;
    bool has_login, has_name;
    struct str user, password, name;
};

static bool parse_protocol(struct ask *ask, struct hello *hello)
{
    int64_t n;

    if (!num_parse_int(ask->rest[0], &n)) {
        ask_error(ask, ERR_GENERAL, "Protocol version is not an integer or out of range");
        return false;
    }
    if (n != 2 && n != 3) {
        ask_error(ask, ERR_NOPROTO, "unsupported protocol version");
        return false;
    }
    hello->protocol = (int)n;
    return true;
}

static bool parse_hello(struct ask *ask, struct hello *hello)
{
    if (ask->rest_count > 0 && !parse_protocol(ask, hello))
        return false;
    for (int i = 1; i < ask->rest_count; i++) {
        int left = ask->rest_count - i - 1;
        if (str_eq_nocase(ask->rest[i], STR("AUTH")) && left >= 2) {
            hello->has_login = true;
            hello->user = ask->rest[i + 1];
            hello->password = ask->rest[i + 2];
            i += 2;
        } else if (str_eq_nocase(ask->rest[i], STR("SETNAME")) && left >= 1) {
            hello->has_name = true;
            hello->name = ask->rest[++i];
            if (!check_client_text(ask, hello->name, "Client names"))
                return false;
        } else {
            char shown[80];
            str_printable(ask->rest[i], shown, sizeof(shown));
            ask_error(ask, ERR_GENERAL, "Syntax error in HELLO option '%s'", shown);
            return false;
        }
    }
    return true;
}

static bool log_in(struct ask *ask, const struct hello *hello)
{
    struct peer_state *state = peer_state(ask->peer);

    if (hello->has_login && !is_login(&ask->daemon->config, hello->user, hello->password)) {
        refuse_login(ask);
        return false;
    }
    if (hello->has_login)
        become(state, hello->user);
    if (state->is_logged_in)
        return true;
    ask_error(ask, ERR_NOAUTH,
              "HELLO must be called with the client already authenticated, otherwise the HELLO "
              "<proto> AUTH <user> <pass> option can be used to authenticate the client and select "
              "the RESP protocol version at the same time");
    return false;
}

static void put_pair(struct reply *reply, const char *name, const char *text)
{
    reply_text(reply, name);
    reply_text(reply, text);
}

void cmd_hello(struct ask *ask)
{
    struct peer_state *state = peer_state(ask->peer);
    struct hello hello = {.protocol = state->protocol};

    if (!parse_hello(ask, &hello) || !log_in(ask, &hello))
        return;
    if (hello.has_name)
        peer_set_text(&state->name, hello.name);
    state->protocol = hello.protocol;
    ask->reply->protocol = hello.protocol; /* this reply speaks the new one already */
    reply_map(ask->reply, 7);
    put_pair(ask->reply, "server", "rallocd");
    put_pair(ask->reply, "version", RALLOCD_VERSION);
    reply_text(ask->reply, "proto");
    reply_int(ask->reply, hello.protocol);
    reply_text(ask->reply, "id");
    reply_int(ask->reply, (int64_t)state->id);
    put_pair(ask->reply, "mode", "standalone");
    put_pair(ask->reply, "role", "master");
    reply_text(ask->reply, "modules");
    reply_array(ask->reply, 0);
}

void cmd_select(struct ask *ask)
{
    int64_t index;

    if (!num_parse_int(ask->fixed[0], &index))
        ask_error(ask, ERR_GENERAL, "value is not an integer or out of range");
    else if (index != 0)
        ask_error(ask, ERR_GENERAL, "DB index is out of range");
    else
        reply_ok(ask->reply);
}

void cmd_reset(struct ask *ask)
{
    peer_reset(ask->daemon, ask->peer);
    turn_unmute(ask->turn); /* replies are on again, this one first */
    reply_simple(turn_reply(ask->turn), "RESET");
}

void cmd_quit(struct ask *ask)
{
    reply_ok(ask->reply);
    peer_close(ask->peer, "quit");
}
