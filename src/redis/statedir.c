#include "redis/statedir.h"
#include "config/config.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LOG = 8 * 1024 * 1024 };

void statedir_init(struct statedir *dir)
{
    *dir = (struct statedir){.fd = -1, .daemon_lock = -1, .redis_lock = -1};
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void statedir_clear(struct statedir *dir)
{
    close_fd(&dir->redis_lock);
    close_fd(&dir->daemon_lock);
    close_fd(&dir->fd);
}

/* --- the folder ----------------------------------------------------------------------------------
 */

/* Makes the folder and those above it; what is there already is left as it is. */
static bool make_folders(const char *path, struct err *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part))
        return err_set(err, ERR_GENERAL, "[redis] state_dir is empty or too long");
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST && errno != EISDIR)
            return err_set(err, ERR_GENERAL, "cannot make the state folder %s: %s", part,
                           strerror(errno));
    }
    return true;
}

/* Redis has no password of its own here: the folder's rights are what protects it. */
static bool check_folder(const struct statedir *dir, struct err *err)
{
    struct stat info;
    if (fstat(dir->fd, &info) != 0)
        return err_set(err, ERR_GENERAL, "state folder %s: %s", dir->path, strerror(errno));
    if (info.st_uid != geteuid())
        return err_set(err, ERR_GENERAL,
                       "state folder %s belongs to user %u, this daemon runs as user %u", dir->path,
                       (unsigned)info.st_uid, (unsigned)geteuid());
    if ((info.st_mode & 077) != 0)
        return err_set(err, ERR_GENERAL,
                       "state folder %s is open to others (mode %04o): chmod 700 it", dir->path,
                       (unsigned)(info.st_mode & 07777));
    return true;
}

static bool find_socket(struct statedir *dir, struct err *err)
{
    struct sockaddr_un address;
    int len = snprintf(dir->socket.host, sizeof(dir->socket.host), "%s/redis.sock", dir->path);
    dir->socket.is_unix = true;
    if (len < (int)sizeof(address.sun_path))
        return true;
    return err_set(err, ERR_GENERAL,
                   "state folder %s: its path is too long for a Unix socket in it (%d bytes, at "
                   "most %zu): set [redis] state_dir to a shorter one",
                   dir->path, len, sizeof(address.sun_path) - 1);
}

static bool open_folder(struct statedir *dir, const char *path, struct err *err)
{
    char real[PATH_MAX];
    if (!make_folders(path, err))
        return false;
    if (realpath(path, real) == NULL)
        return err_set(err, ERR_GENERAL, "state folder %s: %s", path, strerror(errno));
    if (strlen(real) >= sizeof(dir->path))
        return err_set(err, ERR_GENERAL, "state folder %s: its path is too long", real);
    memcpy(dir->path, real, strlen(real) + 1);
    dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir->fd < 0)
        return err_set(err, ERR_GENERAL, "state folder %s: %s", dir->path, strerror(errno));
    return check_folder(dir, err) && find_socket(dir, err);
}

/* --- locks ---------------------------------------------------------------------------------------
 */

static int open_file(const struct statedir *dir, const char *name, int flags, struct err *err)
{
    int fd = openat(dir->fd, name, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        err_set(err, ERR_GENERAL, "%s/%s: %s", dir->path, name, strerror(errno));
    return fd;
}

static bool lock_daemon(struct statedir *dir, struct err *err)
{
    char pid[24];
    if (flock(dir->daemon_lock, LOCK_EX | LOCK_NB) != 0) {
        ssize_t len = pread(dir->daemon_lock, pid, sizeof(pid) - 1, 0);
        pid[len > 0 ? len : 0] = '\0';
        pid[strspn(pid, "0123456789")] = '\0';
        return err_set(err, ERR_GENERAL, "state folder %s is in use by another daemon (process %s)",
                       dir->path, pid[0] == '\0' ? "unknown" : pid);
    }
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(dir->daemon_lock, 0) != 0 || pwrite(dir->daemon_lock, pid, (size_t)len, 0) != len)
        return err_set(err, ERR_GENERAL, "%s/daemon.lock: %s", dir->path, strerror(errno));
    return true;
}

bool statedir_open(struct statedir *dir, const char *path, struct err *err)
{
    if (!open_folder(dir, path, err))
        return false;
    dir->daemon_lock = open_file(dir, "daemon.lock", O_RDWR, err);
    if (dir->daemon_lock < 0 || !lock_daemon(dir, err))
        return false;
    dir->redis_lock = open_file(dir, "redis.lock", O_RDWR, err);
    return dir->redis_lock >= 0;
}

bool statedir_lock_redis(struct statedir *dir)
{
    return flock(dir->redis_lock, LOCK_EX | LOCK_NB) == 0;
}

int statedir_listener(const struct statedir *dir)
{
    struct sockaddr_storage address;
    struct err err;
    struct ucred peer = {0};
    socklen_t address_len, len = sizeof(peer);
    if (!addr_to_sockaddr(&dir->socket, &address, &address_len, &err))
        return 0;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return 0;
    if (connect(fd, (const struct sockaddr *)&address, address_len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.uid != geteuid())
        peer.pid = 0;
    close(fd);
    return peer.pid;
}

/* --- config and log ------------------------------------------------------------------------------
 */

/* In double quotes, with everything escaped that redis.conf could misread. */
static void write_quoted(FILE *file, const char *key, const char *folder, const char *name)
{
    const char *parts[] = {folder, name};
    fprintf(file, "%s \"", key);
    for (size_t i = 0; i < 2; i++) {
        for (const char *at = parts[i]; *at != '\0'; at++) {
            unsigned char c = (unsigned char)*at;
            if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\')
                fprintf(file, "\\x%02x", c);
            else
                fputc(c, file);
        }
    }
    fputs("\"\n", file);
}

static void write_settings(FILE *file, const struct statedir *dir,
                           const struct redis_config *config)
{
    fputs("# Written by rallocd at each start of its redis-server: changes here are lost.\n"
          "port 0\ndaemonize no\nsupervised no\nunixsocketperm 700\n",
          file);
    write_quoted(file, "unixsocket", dir->path, "/redis.sock");
    write_quoted(file, "pidfile", dir->path, "/redis.pid");
    write_quoted(file, "logfile", dir->path, "/redis.log");
    write_quoted(file, "dir", dir->path, "");
    fprintf(file, "save \"\"\nappendonly yes\nappendfsync %s\n", config->appendfsync);
    fprintf(file, "maxmemory %s\nmaxmemory-policy noeviction\n", config->maxmemory);
    /* Small pools as tables, too: in a list each look is a walk. (By the names that Redis 6 knows.)
     */
    fputs("hash-max-ziplist-entries 16\nzset-max-ziplist-entries 16\n", file);
}

bool statedir_write_config(const struct statedir *dir, const struct redis_config *config,
                           struct err *err)
{
    int fd = open_file(dir, "redis.conf.new", O_WRONLY | O_TRUNC, err);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        close_fd(&fd);
        return false;
    }
    write_settings(file, dir, config);
    bool failed = fflush(file) != 0 || ferror(file) != 0;
    failed = fclose(file) != 0 || failed;
    if (failed || renameat(dir->fd, "redis.conf.new", dir->fd, "redis.conf") != 0)
        return err_set(err, ERR_GENERAL, "%s/redis.conf: %s", dir->path, strerror(errno));
    return true;
}

int statedir_open_log(const struct statedir *dir, struct err *err)
{
    struct stat info;
    if (fstatat(dir->fd, "redis.log", &info, AT_SYMLINK_NOFOLLOW) == 0 && info.st_size > MAX_LOG &&
        renameat(dir->fd, "redis.log", dir->fd, "redis.log.1") != 0) {
        err_set(err, ERR_GENERAL, "%s/redis.log: %s", dir->path, strerror(errno));
        return -1;
    }
    return open_file(dir, "redis.log", O_WRONLY | O_APPEND, err);
}

void statedir_last_words(const struct statedir *dir, char *out, size_t size)
{
    char tail[1024];
    out[0] = '\0';
    int fd = openat(dir->fd, "redis.log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    off_t end = lseek(fd, 0, SEEK_END);
    off_t from = end > (off_t)sizeof(tail) ? end - (off_t)sizeof(tail) : 0;
    ssize_t len = pread(fd, tail, sizeof(tail), from);
    close(fd);
    struct str rest = str_trim(str_make(tail, len > 0 ? (size_t)len : 0));
    struct str line = rest;
    while (str_split(&rest, '\n', &line))
        continue;
    str_printable(str_trim(line), out, size);
}
