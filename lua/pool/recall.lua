-- recall: gives back what a batch granted whose answer was lost, and forbids that batch to happen
-- later. What a repeated request has got in the meantime stays granted.
-- keys: pool head tail leases journal held notes requests
-- args: daemon sequence
-- returns: how many leases were given back
-- include: pool/lease.lua
K_leases, K_held, K_notes, K_requests = KEYS[4], KEYS[6], KEYS[7], KEYS[8]
local K_journal = KEYS[5]

-- Has another request joined the one that got this lease?
local function is_joined(resource)
    local _, _, reqid = note_split(call("HGET", K_notes, resource))
    local record = reqid ~= "" and call("HGET", K_requests, reqid)
    return record and sub(record, 1, 1) == "1"
end

-- The lease ends now; with a broken list its resource waits outside, due, for the collector.
local function give_back(resource, can_push)
    local prev = entry_of(resource)
    local is_waiting = prev == MALFORMED or (prev == ALLOCATED and not can_push)
    call("DEL", lease_key(resource))
    index_set(resource, is_waiting and clock())
    if prev == ALLOCATED and can_push then
        list_take_back(resource, expiry_of[resource])
    end
end

local function run()
    local daemon, sequence = ARGV[1], ARGV[2]
    local record = call("HGET", K_journal, daemon) or "0"
    local done = tonumber(match(record, "^%d+") or 0)
    if done > tonumber(sequence) then
        return 0
    end
    local count, parts = 0, request_split("0" .. (match(record, "^%d+%z%d+(.*)$") or ""))
    if done == tonumber(sequence) then
        list_open()
        local can_push = list_push_fault() == nil
        for i = 1, #parts - 1, 2 do
            local resource, token = parts[i], parts[i + 1]
            local value = lease_values({ resource })[1]
            if value == token and not (has_note(token) and is_joined(resource)) then
                give_back(resource, can_push)
                if has_note(token) then
                    note_forget_all({ resource })
                end
                count = count + 1
            end
        end
    end
    call("HDEL", K_journal, daemon) -- never refused for want of memory, nor is what follows it
    call("HSET", K_journal, daemon, sequence .. "\0" .. plain(clock()))
    index_write()
    list_write()
    return count
end

return run()
