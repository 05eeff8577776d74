-- Asks an api (frontend "admission" of haproxy.cfg) whether the person of this browser is signed in at a desk.
local ADMISSION = "http://127.0.0.1:8136/api/v1/desk/phone/admission"

core.register_action("phone_admission", {"http-req"}, function(txn)
    local cookie = txn.sf:req_fhdr("cookie") or ""
    local answer = core.httpclient():get{url = ADMISSION, headers = {cookie = {cookie}}, timeout = 3000}
    txn:set_var("txn.admitted", answer ~= nil and answer.status == 204)
end, 0)
