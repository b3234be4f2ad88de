-- recall: gives back what a batch granted whose answer was lost, and forbids that batch to happen
-- later. What a repeated request has got in the meantime stays granted.
-- keys: pool head tail leases departed journal held notes requests
-- args: daemon sequence
-- returns: how many leases were given back
-- include: pool/lease.lua
key.index, key.departed, key.journal = KEYS[4], KEYS[5], KEYS[6]
key.held, key.notes, key.requests = KEYS[7], KEYS[8], KEYS[9]

local joined = {} -- reqid -> has another request joined the one that got leases by this id?

-- What cannot be told, because somebody deleted a note, counts as joined: that lease ends by its time.
local function is_joined(resource)
    local token, _, reqid = note.split(redis.call("HGET", key.notes, resource))
    if reqid ~= "" and joined[reqid] == nil then
        local record = redis.call("HGET", key.requests, reqid)
        joined[reqid] = not record or string.sub(record, 1, 1) == "1"
    end
    return token == "" or (reqid ~= "" and joined[reqid])
end

-- The lease ends now; with a broken list its resource waits outside, due, for the collector.
local function give_back(resource, can_push)
    local prev = entry.of(resource)
    local is_waiting = prev == MALFORMED or (prev == ALLOCATED and not can_push)
    redis.call("DEL", key.lease(resource))
    index.set(resource, is_waiting and clock())
    if prev == ALLOCATED and can_push then
        list.take_back(resource, expiry_of[resource])
    end
end

local function run()
    local daemon, sequence = ARGV[1], ARGV[2]
    local record = redis.call("HGET", key.journal, daemon) or "0"
    local done = tonumber(string.match(record, "^%d+") or 0)
    if done > tonumber(sequence) then
        return 0
    end
    local first, last, names = string.match(record, "^%d+%z%d+%z(%d+)%z(%d+)(%z.*)$")
    local count, noted = 0, {}
    if done == tonumber(sequence) and names then
        first, last = tonumber(first), tonumber(last)
        list.open()
        local can_push = list.push_fault() == nil
        for resource in string.gmatch(names, "%z(%Z*)") do
            local token = key.values({ resource })[1] or ""
            local fence = key.fence_of(token)
            local is_noted = note.has(token)
            if fence >= first and fence <= last and not (is_noted and is_joined(resource)) then
                give_back(resource, can_push)
                if is_noted then
                    noted[#noted + 1] = resource
                end
                count = count + 1
            end
        end
        note.forget(noted)
    end
    redis.call("HDEL", key.journal, daemon) -- never refused for want of memory, nor is what follows it
    redis.call("HSET", key.journal, daemon, sequence .. "\0" .. plain(clock()))
    index.write()
    list.write()
    return count
end

return run()
