-- kept: what has ended is kept for its time, but no more of a queue than is allowed.
-- Knows: places.  Must not know: which keys its script has.
-- include: task/lose.lua
local kept_of = {} -- meta -> ids of those that end in this script, and their bound

-- To be called for each that ends.
local function keep_result(meta, id, task, timeout, most)
    local kept = kept_of[meta]
    if not kept then
        kept = { ids = {}, most = tonumber(most), longest = 0 }
        kept_of[meta] = kept
    end
    kept.ids[#kept.ids + 1] = id
    timeout = tonumber(timeout) or 0
    if timeout > 0 then
        call("PEXPIRE", task, plain(timeout))
        kept.longest = math.max(kept.longest, timeout)
    else
        kept.longest = math.huge
    end
end

-- The list of those that are kept lives as long as the last of them. Some may be gone already, or run
-- anew: only what has ended is dropped.
local function drop_oldest(list, count)
    local ids = call("LPOP", list, count) or {}
    for i = 1, #ids do
        local task = base .. "|task-result:" .. ids[i]
        local state = pcall("HGET", task, "state")
        if state == "done" or state == "failed" then
            call("DEL", task)
        end
    end
end

-- To be called once, when all have ended.
local function bound_kept()
    for meta, kept in pairs(kept_of) do
        local list = base .. "|kept|" .. string.sub(meta, #base + 8) -- behind "|queue|"
        call_each("RPUSH", list, kept.ids)
        local length = call("LLEN", list)
        if kept.longest == math.huge then
            call("PERSIST", list)
        elseif length == #kept.ids then
            call("PEXPIRE", list, plain(kept.longest))
        else
            call("PEXPIRE", list, plain(kept.longest), "GT")
        end
        if length > kept.most then
            drop_oldest(list, math.min(length - kept.most, CHUNK))
        end
    end
end
