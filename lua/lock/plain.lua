-- plain: a batch of locks that nobody has to wait for: see batch.
-- keys: counter journal
-- and those of the operations
-- args: daemon sequence, then the operations but W, D and B
-- returns: as batch; or FULL, with nothing changed, when somebody waits for some lock
-- include: lock/run.lua
local stale = open_journal()
if stale or is_waited then
    return stale or "FULL"
end
read_values(3)

while argv[at] do
    local letter, owner, timeout, lock = argv[at], argv[at + 1], argv[at + 2], keys[k]
    local value, reply = now_of[lock]
    if value == nil then
        value = values[k]
    end
    if letter == "L" then
        reply = not value and grant(lock, keys[k + 1], owner, timeout)
        if not value and not reply then
            reply = redis.error_reply(OTHER_TYPE)
        end
        at, k = at + 3, k + 2
    elseif letter == "F" and value == owner then
        doomed[lock], now_of[lock], now_of[keys[k + 1]] = keys[k + 1], false, false
        reply = 1
        at, k = at + 3, k + 2
    else
        run_other = run_other or make_run_other()
        reply = run_other(letter, owner, timeout)
    end
    replies[#replies + 1] = reply
end

return finish_batch()
