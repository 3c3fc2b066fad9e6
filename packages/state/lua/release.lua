--[[
  The client left: starts the expire clock of its entry, if the entry still names that session. A second release does
  not start the clock again.

  KEYS[1]  the entry
  ARGV[1]  owner
  ARGV[2]  epoch
  ARGV[3]  how long a cooling entry lives, in milliseconds

  Result   1 if the entry cools now, 0 if it was left alone
]]
local value = redis.call('GET', KEYS[1])
if not value then
  return 0
end
local server, owner, epoch, state = string.match(value, '^(.*)|([^|]*)|(%d+)|([poc])$')
if owner ~= ARGV[1] or epoch ~= ARGV[2] or state == 'c' then
  return 0
end
redis.call('SET', KEYS[1], server .. '|' .. owner .. '|' .. epoch .. '|c', 'PX', ARGV[3])
return 1
