-- delif: deletes a value when a comparison with it holds.
-- keys: counter journal waiters waiting lines daemons lock claim set
-- args: op(> < >= <= == !=) value
-- returns: 1 (also when there was none), 0; an error when the present value is no number
-- include: lock/compare.lua
-- include: lock/line.lua
local lock, claim = KEYS[7], KEYS[8]
call("SCARD", KEYS[9]) -- of the right type?
local holds = compare(ARGV[1], tonumber(ARGV[2]), call("GET", lock))
if holds == true then
    call("DEL", lock, claim)
    line.touched[lock] = true
    line.finish()
    return 1
end
return holds or 0
