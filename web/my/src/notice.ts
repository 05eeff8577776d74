/** What is shown of a notice, and where it leads: whatever it holds, something is shown, and it leads into the app. */
export function noticeOf(data: { json: () => unknown } | null): NotificationOptions & { title: string } {
  let said: Record<string, unknown> = {}
  try {
    said = Object(data?.json()) as Record<string, unknown>
  } catch {
    // Not ours; a browser wants to see something shown all the same.
  }
  const word = (name: string) => (typeof said[name] === 'string' ? said[name] : '')
  const persian = word('language') !== 'en'
  return {
    title: word('title') || '137',
    body: word('body'),
    tag: word('tag'),
    lang: persian ? 'fa' : 'en',
    dir: persian ? 'rtl' : 'ltr',
    icon: '/my/icon-192.png',
    data: word('request'),
  }
}

export const addressOf = (request: unknown): string =>
  typeof request === 'string' && /^[0-9]{1,9}$/.test(request) ? `/my/requests/${request}` : '/my/requests'
