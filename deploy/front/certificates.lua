-- Exchanges the certificate, its key and the authority of callers' certificates while HAProxy runs, as their files change: every ten seconds it
-- looks at them, and hands what changed to HAProxy's own socket. Connections that exist go on. What HAProxy refuses (a certificate and key that
-- do not fit, half of an exchange) is logged and tried again, and the old ones stay.
local every_ms = tonumber(os.getenv("WARMLINE_FRONT_RELOAD_MS") or "10000")
local socket = os.getenv("WARMLINE_FRONT_RUN_DIR") .. "/front.sock"
local cert = os.getenv("WARMLINE_FRONT_TLS_CERT_FILE")
local ca = os.getenv("WARMLINE_FRONT_TLS_CLIENT_CA_FILE")

-- Without empty lines, which would end what is handed over; nil where the file cannot be read.
local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("a")
  file:close()
  return ((text .. "\n"):gsub("\r", ""):gsub("\n\n+", "\n"):gsub("^\n", ""))
end

local function ask(command)
  local connection = core.tcp()
  connection:settimeout(5)
  if not connection:connect(socket) then return "no answer" end
  connection:send(command .. "\n")
  local answer = connection:receive("*a") or ""
  connection:close()
  return answer
end

-- True when HAProxy has taken it.
local function exchange(kind, path, text)
  local answer = ask("set ssl " .. kind .. " " .. path .. " <<\n" .. text .. "\n")
  if answer:find("created") or answer:find("updated") then
    answer = ask("commit ssl " .. kind .. " " .. path)
    if answer:find("Success") then
      core.log(core.notice, "the front uses the new " .. path)
      return true
    end
  end
  ask("abort ssl " .. kind .. " " .. path)
  core.log(core.err, path .. " changed and is refused; the old one stays: " .. answer:gsub("%s+", " "))
  return false
end

core.register_task(function()
  local function pair()
    local chain, key = read(cert), read((cert:gsub("%.crt$", ".key")))
    return chain and key and chain .. key
  end
  local used = {cert = cert and pair(), ca = ca and read(ca)}
  while true do
    core.msleep(every_ms)
    local now = {cert = cert and pair(), ca = ca and read(ca)}
    if now.cert and now.cert ~= used.cert and exchange("cert", cert, now.cert) then used.cert = now.cert end
    if now.ca and now.ca ~= used.ca and exchange("ca-file", ca, now.ca) then used.ca = now.ca end
  end
end)
