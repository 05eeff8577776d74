import { Suspense } from 'react'
import { extra, part } from '../ui/part'
import type { RoomPhone } from './room-phone'

const Icon = extra(async () => ({ default: (await import('./quality-icon')).QualityIcon }))
const Warning = extra(async () => ({ default: (await import('./quality-icon')).QualityWarning }))
const Check = part(() => import('./phone-check'))

/** Fetched when the phone is connected, or looked after: no page waits for them. */
export const QualityIcon = (props: { phone: RoomPhone }) => <Suspense><Icon {...props} /></Suspense>
export const QualityWarning = (props: { phone: RoomPhone; talking: boolean }) => <Suspense><Warning {...props} /></Suspense>
export const PhoneCheck = (props: { phone: RoomPhone; inBrowser: boolean }) => <Suspense><Check {...props} /></Suspense>
