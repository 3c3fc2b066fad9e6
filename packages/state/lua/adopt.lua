--[[
  Writes what a proxy decided while it could not reach Redis, without overwriting a newer claim. Nothing here compares
  the clocks of two hosts: what is older is told by owner and epoch alone.

  KEYS[1]  the entry
  ARGV[1]  server
  ARGV[2]  owner
  ARGV[3]  epoch
  ARGV[4]  state: 'o' pinned, 'c' cooling
  ARGV[5]  how long the entry lives, in milliseconds
  ARGV[6]… pairs of owner and epoch: what that owner wrote up to that epoch is known to be older than this

  Result   1 if the entry names the server now, 0 if a claim that is not known to be older was left alone
]]
local mine = ARGV[1] .. '|' .. ARGV[2] .. '|' .. ARGV[3] .. '|' .. ARGV[4]
local value = redis.call('GET', KEYS[1])
if not value then
  redis.call('SET', KEYS[1], mine, 'PX', ARGV[5])
  return 1
end
local server, owner, epoch, state = string.match(value, '^(.*)|([^|]*)|(%d+)|([poc])$')
for i = 6, #ARGV, 2 do
  if ARGV[i] == owner and tonumber(epoch) <= tonumber(ARGV[i + 1]) then
    redis.call('SET', KEYS[1], mine, 'PX', ARGV[5])
    return 1
  end
end
if (server or value) ~= ARGV[1] then
  return 0
end
-- Somebody else's entry for the same server: it may be a live session's, so it is never made shorter or weaker.
local left = redis.call('PTTL', KEYS[1])
if ARGV[4] == 'o' and state ~= 'o' then
  redis.call('SET', KEYS[1], mine, 'PX', ARGV[5])
elseif left >= 0 and left < tonumber(ARGV[5]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
end
return 1
