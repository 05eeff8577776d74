/** Notices in this browser, by the city's own key. Nothing is asked of anybody before somebody wants them. */

/** An iPhone takes them only from an app on its first page. */
export const canPush = (): boolean => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window

const worker = () => navigator.serviceWorker.getRegistration('/my')
const subscribed = async () => (await (await worker())?.pushManager.getSubscription()) ?? null

/** Whether this browser would still show them. */
export const takesPush = async (): Promise<boolean> =>
  canPush() && Notification.permission === 'granted' && (await subscribed()) !== null

/** Where they are to go; null if permission was refused. Throws if the browser's own push service does not answer. */
export async function beginPush(key: string): Promise<{ endpoint: string; p256dh: string; auth: string } | null> {
  if ((await Notification.requestPermission()) !== 'granted') return null
  const there = await worker()
  if (!there) throw new Error('no worker')
  await leavePush() // perhaps by another key
  const made = (await there.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) })).toJSON()
  return { endpoint: made.endpoint ?? '', p256dh: made.keys?.['p256dh'] ?? '', auth: made.keys?.['auth'] ?? '' }
}

export async function leavePush(): Promise<void> {
  if (canPush()) await (await subscribed())?.unsubscribe()
}

const bytes = (key: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(key.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0))
