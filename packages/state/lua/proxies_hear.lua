--[[
  What another proxy says of its servers.

  KEYS[1]  the hash of that proxy: backend/server → what it says
  ARGV[1]  how many there may be

  Result   backend/server and what is said of it, in turn; nothing where it says nothing any more, or too much
]]
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[1]) then
  return {}
end
return redis.call('HGETALL', KEYS[1])
