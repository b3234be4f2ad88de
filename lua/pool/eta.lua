-- eta: when those in the line may be served, if nobody gives anything back before its deadline and each
-- of them holds what it gets for as long as it asked for.
-- Knows: the line, the index of deadlines.  Must not know: who lives.
-- The script sets key.index, key.waiters, key.waiting.
-- include: pool/key.lua
local eta = {
    MOST_ENDS = 10000, -- deadlines that are looked at
}

-- The labels it asks for, separated by \1; "": none.
local function where_of(more)
    local labels = {}
    for pair in string.gmatch("\1" .. (more or ""), "\1W([^\1]*)") do
        labels[#labels + 1] = pair
    end
    return table.concat(labels, "\1")
end

-- The words of a request as serve has it, behind those of the line: reserved mode ends_ms how count
-- timeout random name binding owner reqid holder options came_ms.
local function words_of(record)
    local words = {}
    for word in string.gmatch((string.match(record or "", "%z.*$") or ""), "%z(%Z*)") do
        words[#words + 1] = word
    end
    return {
        is_shared = words[2] == "shared", ends_ms = tonumber(words[3]) or 0, how = words[4] or "1",
        count = tonumber(words[5]) or 1, name = words[8] or "", owner = words[10] or "",
        came_ms = tonumber(words[14]) or clock(),
        where = where_of(words[13]),
        priority = tonumber(string.match("\1" .. (words[13] or ""), "\1P(-?%d+)")) or 0,
    }
end

-- How many are free (what is due counts), how many there are.
function eta.free()
    local total = redis.call("HLEN", key.pool)
    local leased = redis.call("ZCARD", key.index)
        - redis.call("ZCOUNT", key.index, "-inf", clock())
    return math.max(total - leased, 0), total
end

-- When things come free, from now on, in ms: 0 for each that is free.
local function read_ends(needed)
    local ends = {}
    for i = 1, math.min(eta.free(), needed) do
        ends[i] = 0
    end
    local scores = redis.call("ZRANGEBYSCORE", key.index, "(" .. plain(clock()), "(+inf",
        "WITHSCORES", "LIMIT", 0, math.max(needed - #ends, 0))
    for i = 2, #scores, 2 do
        ends[#ends + 1] = tonumber(scores[i]) - clock()
    end
    return ends
end

-- So many of the first to come free are taken at that time, until they are given back again.
local function take(ends, count, ends_ms)
    local at = ends[count]
    for _ = 1, count do
        table.remove(ends, 1)
    end
    for _ = 1, ends_ms > 0 and count or 0 do
        local place = #ends + 1
        while place > 1 and ends[place - 1] > at + ends_ms do
            place = place - 1
        end
        table.insert(ends, place, at + ends_ms)
    end
    return at
end

-- The first `limit` of the line, who are `ids` where it has an order of its own: of each what it asks,
-- and in how many ms it may be served (-1: that cannot be told).
function eta.line(limit, ids)
    ids = ids or redis.call("ZRANGE", key.waiters, 0, limit - 1)
    local line, needed = {}, 0
    local records = #ids > 0 and redis.call("HMGET", key.waiting, unpack(ids)) or {}
    for i = 1, #ids do
        line[i] = words_of(records[i])
        needed = needed + line[i].count
    end
    local ends, latest = read_ends(math.min(needed, eta.MOST_ENDS)), 0
    local _, total = eta.free()
    for i = 1, #line do
        local count = line[i].how == "a" and line[i].count or 1
        line[i].ms = -1
        if line[i].where ~= "" then
            line[i].ms = -1 -- it is passed over until what it wants is free
        elseif line[i].is_shared then
            line[i].ms = total > 0 and 0 or -1
        elseif count <= #ends and latest >= 0 then
            latest = math.max(latest, take(ends, count, line[i].ends_ms))
            line[i].ms = latest
        elseif count <= total then
            latest = -1 -- who comes behind it waits for it
        end
    end
    return line
end
