--[[
  Keeps the entry of a live session pinned. One that vanished is written again; one that cools or is pending for the
  same server is pinned again; one that names another server is left alone.

  KEYS[1]  the entry
  ARGV[1]  server
  ARGV[2]  owner
  ARGV[3]  epoch
  ARGV[4]  how long a pinned entry lives without renewal, in milliseconds

  Result   1 if another server holds the key for good, so that this session need not be renewed any more; else 0.
           A pending claim of another server may yet be taken back: 0.
]]
local value = redis.call('GET', KEYS[1])
local server, state
if value then
  local owner, epoch
  server, owner, epoch, state = string.match(value, '^(.*)|([^|]*)|(%d+)|([poc])$')
  server = server or value
  if server ~= ARGV[1] then
    return state == 'p' and 0 or 1
  end
end
if state == 'o' then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
else
  redis.call('SET', KEYS[1], ARGV[1] .. '|' .. ARGV[2] .. '|' .. ARGV[3] .. '|o', 'PX', ARGV[4])
end
return 0
