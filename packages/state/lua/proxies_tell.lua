--[[
  Replaces what a proxy says of its servers, for a while.

  KEYS[1]  the hash of this proxy: backend/server → what it says
  ARGV[1]  how long that is true without being said again, in milliseconds
  ARGV[2]… backend/server and what is said of it, in turn

  Result   how many servers
]]
redis.call('DEL', KEYS[1])
for i = 2, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
if #ARGV > 1 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return (#ARGV - 1) / 2
