/** As the WebOTP specification has it. */
interface OtpRequest extends CredentialRequestOptions {
  otp: { transport: ['sms'] }
}

/** The code of the text message that comes, where the browser reads it (WebOTP); empty where it does not. */
export async function codeOfMessage(signal: AbortSignal): Promise<string> {
  if (!('OTPCredential' in window)) return ''
  const asked: OtpRequest = { otp: { transport: ['sms'] }, signal }
  try {
    const read: (Credential & { code?: string }) | null = await navigator.credentials.get(asked)
    return read?.code ?? ''
  } catch {
    return '' // it did not come, or may not be read
  }
}
