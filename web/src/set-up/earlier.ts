/** `main 503, second 0`: which trunks were asked before, and what they said; 0 is nothing, in words. */
export const earlier = (tried: string, silent: string) => tried.replaceAll(/ 0(?=,|$)/g, ` (${silent})`)
