--[[
  Renews the lease of a virtual address. A number that is lower than the one that stands never does; and where another
  node has renewed its own lease lately, that one stands, whatever the numbers: it had Redis all the time.

  KEYS[1]  the lease: node, fencing number, when it was renewed (milliseconds of this Redis); node `-`: given back
  ARGV[1]  node
  ARGV[2]  its fencing number
  ARGV[3]  a lease that another node has renewed within so many milliseconds stands

  Result   'kept', fence    renewed; a higher number is one that this node took without hearing of it
           'lost', fence    another one has it, or has had it since
]]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local node, fence, at = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+) (%d+)$')
local stored = tonumber(fence) or 0
if stored >= 2 ^ 52 then
  -- Nobody counts to that: it was not written by a host.
  node, stored = nil, 0
end
local own = tonumber(ARGV[2])
if node == ARGV[1] then
  own = math.max(own, stored)
elseif node then
  local isFresh = node ~= '-' and math.abs(now - tonumber(at)) < tonumber(ARGV[3])
  if isFresh or stored >= own then
    return { 'lost', string.format('%.0f', stored) }
  end
end
redis.call('SET', KEYS[1], string.format('%s %.0f %.0f', ARGV[1], own, now))
return { 'kept', string.format('%.0f', own) }
