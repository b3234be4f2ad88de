/* payload: see payload.h.
 *
 *     text                          whatever does not begin with NUL
 *     NUL 'r' text                  raw
 *     NUL 'z' length(4) zlib        compressed; the text's length, little-endian */
#include "task/payload.h"
#include "base/mem.h"
#include <zlib.h>

enum { MARK = 2, HEAD = MARK + 4, MOST_RATIO = 1100 /* deflate's is 1032 */ };

static void put_raw(struct payload *payload, struct str text)
{
    payload->bytes = mem_alloc(MARK + text.len);
    payload->bytes[0] = '\0';
    payload->bytes[1] = 'r';
    memcpy(payload->bytes + MARK, text.ptr, text.len);
    payload->text = str_make(payload->bytes, MARK + text.len);
}

/* False: it would hardly be shorter. */
static bool put_compressed(struct payload *payload, struct str text)
{
    uLongf len = compressBound((uLong)text.len);
    char *bytes = mem_alloc(HEAD + len);
    if (compress2((Bytef *)bytes + HEAD, &len, (const Bytef *)text.ptr, (uLong)text.len,
                  Z_BEST_SPEED) != Z_OK ||
        HEAD + len > text.len - text.len / 8) {
        mem_free(bytes);
        return false;
    }
    bytes[0] = '\0';
    bytes[1] = 'z';
    for (int i = 0; i < 4; i++)
        bytes[MARK + i] = (char)(text.len >> 8 * i);
    payload->bytes = mem_realloc(bytes, HEAD + len);
    payload->text = str_make(payload->bytes, HEAD + len);
    return true;
}

void payload_pack(struct payload *payload, struct str text, int64_t min)
{
    *payload = (struct payload){.text = text};
    bool is_long = min > 0 && text.len >= (size_t)min && text.len <= UINT32_MAX;
    if (is_long && put_compressed(payload, text))
        return;
    if (text.len > 0 && text.ptr[0] == '\0')
        put_raw(payload, text);
}

static bool expand(struct payload *payload, struct str packed)
{
    size_t len = 0;
    for (int i = 0; i < 4; i++)
        len |= (size_t)(unsigned char)packed.ptr[MARK + i] << 8 * i;
    if (len / MOST_RATIO > packed.len)
        return false;
    uLongf got = (uLongf)len;
    char *bytes = mem_alloc(len + 1);
    if (uncompress((Bytef *)bytes, &got, (const Bytef *)packed.ptr + HEAD,
                   (uLong)(packed.len - HEAD)) != Z_OK ||
        got != len) {
        mem_free(bytes);
        return false;
    }
    payload->bytes = bytes;
    payload->text = str_make(bytes, len);
    return true;
}

void payload_unpack(struct payload *payload, struct str packed)
{
    *payload = (struct payload){.text = packed};
    if (packed.len < MARK || packed.ptr[0] != '\0')
        return;
    if (packed.ptr[1] == 'r')
        payload->text = str_make(packed.ptr + MARK, packed.len - MARK);
    else if (packed.ptr[1] == 'z' && packed.len >= HEAD)
        (void)expand(payload, packed);
}

void payload_clear(struct payload *payload)
{
    mem_free(payload->bytes);
    payload->bytes = NULL;
}
