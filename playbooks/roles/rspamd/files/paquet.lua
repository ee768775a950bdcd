-- Written by Paquet; the next deploy overwrites it.
-- Whoever sends is known: Postfix says the login, of a person's filter too. It checked that the envelope sender is the
-- login's own. What people read has to be the same: the From header is that address, or the login itself (an empty
-- envelope, as of a receipt), once; no other header and no name beside it shows somebody else.
local rspamd_util = require 'rspamd_util'

-- What a filter forwards keeps the From of its author, and is signed by him or not at all. See main.cf, sieve-mail.
function paquet_is_forward(task)
  return tostring(task:get_request_header('MTA-Name')) == 'SIEVE' and task:get_helo() == 'forward.sieve'
end

local function own_addresses(task)
  local own = {[task:get_user():lower()] = true}
  for _, sender in ipairs(task:get_from({'smtp', 'orig'}) or {}) do
    own[(sender.addr or ''):lower()] = true
  end
  return own
end

-- Whether each of `shown` (none will do) is an own address and has no other address for a name.
local function are_own(shown, own)
  for _, one in ipairs(shown) do
    if not own[(one.addr or ''):lower()] then return false end
    for named in (one.name or ''):lower():gmatch('[^%s<>"\'(),;:]+@[^%s<>"\'(),;:]+') do
      if not own[named] then return false end
    end
  end
  return true
end

rspamd_config:register_symbol({
  name = 'PAQUET_FALSE_FROM',
  type = 'prefilter',
  callback = function(task)
    if not task:get_user() or paquet_is_forward(task) then return end
    local own = own_addresses(task)
    local shown = task:get_from({'mime', 'orig'}) or {}
    if not are_own(shown, own) then
      task:set_pre_result('reject', 'From has to be the address that you send as')
      return
    end
    -- programs disagree about which of two From headers they show
    if #shown == 0 or #(task:get_header_full('From') or {}) ~= 1 then
      task:set_pre_result('reject', 'From has to be there once')
      return
    end
    for _, name in ipairs({'Sender', 'Resent-From', 'Resent-Sender'}) do
      for _, header in ipairs(task:get_header_full(name) or {}) do
        local parsed = rspamd_util.parse_mail_address(header.decoded or '', task:get_mempool()) or {}
        if #parsed == 0 or not are_own(parsed, own) then
          task:set_pre_result('reject', name .. ' has to be the address that you send as')
          return
        end
      end
    end
  end,
})
