// A real provider of OpenID Connect (the package oidc-provider), whose accounts are a file that a test writes:
//   node tests/kit/oidc_provider.mjs PORT ACCOUNTS.json CLIENT SECRET BACK LOGOUT
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [port, file, client_id, client_secret, back, logout] = process.argv.slice(2)
const { Provider } = await import(pathToFileURL(createRequire(process.cwd() + '/').resolve('oidc-provider')))

function findAccount(_context, id) {
  const account = JSON.parse(readFileSync(file, 'utf8'))[id]
  return account && { accountId: id, claims: () => ({ sub: id, ...account }) }
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id, client_secret, redirect_uris: [back], grant_types: ['authorization_code', 'refresh_token'],
    backchannel_logout_uri: logout, backchannel_logout_session_required: true,
  }],
  claims: { openid: ['sub'], profile: ['preferred_username', 'name', 'groups'] },
  conformIdTokenClaims: false,
  cookies: { keys: ['of a test'] },
  features: { backchannelLogout: { enabled: true } },
  fetch: (url, { dispatcher: _, ...options }) => fetch(url, options), // it sends to no loopback by itself
  findAccount,
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
})
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'))
