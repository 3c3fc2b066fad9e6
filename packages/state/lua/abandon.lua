--[[
  Takes a pending claim back: removes the entry, or gives it to the server that held it before. An entry that is not
  pending any more, or names another session, is left alone.

  KEYS[1]  the entry
  ARGV[1]  owner
  ARGV[2]  epoch
  ARGV[3]  displaced server; empty: none
  ARGV[4]  how long a cooling entry lives, in milliseconds

  Result   1 if it was taken back, 0 if it was left alone
]]
local value = redis.call('GET', KEYS[1])
if not value then
  return 0
end
local owner, epoch = string.match(value, '|([^|]*)|(%d+)|p$')
if owner ~= ARGV[1] or epoch ~= ARGV[2] then
  return 0
end
if ARGV[3] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[3] .. '|' .. owner .. '|' .. epoch .. '|c', 'PX', ARGV[4])
end
return 1
