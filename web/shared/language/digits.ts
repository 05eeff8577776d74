/** Replace Persian and Arabic digits by Latin ones, as the API wants them. */
export function latinDigits(text: string): string {
  return text.replace(/[۰-۹٠-٩]/g, (digit) => String(digit.charCodeAt(0) & 0xf))
}
