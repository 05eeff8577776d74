import { useEffect, useState } from 'react'

/** Sound devices as this computer's person chose them; '' is the browser's own choice, of `ring` the ear's. */
export type Kind = 'audioinput' | 'audiooutput' | 'ring'

const keyOf = (kind: Kind) => `hotline137.device.${kind}`

export const keptDevice = (kind: Kind): string => localStorage.getItem(keyOf(kind)) ?? ''

export const keepDevice = (kind: Kind, id: string): void => localStorage.setItem(keyOf(kind), id)

/** What is heard comes from the device that was chosen for it, also while it sounds. */
export function hearOn(output: HTMLAudioElement | AudioContext, kind: 'audiooutput' | 'ring'): void {
  const id = keptDevice(kind) || keptDevice('audiooutput')
  // Not every browser lets a page choose; one that was unplugged is refused.
  void (output as Partial<Pick<HTMLAudioElement, 'setSinkId'>>).setSinkId?.(id).catch(() => undefined)
}

export interface Device {
  value: string
  label: string
}

/** Those that can be told apart: without leave for the microphone a browser names none. */
const named = async (kind: Kind): Promise<MediaDeviceInfo[]> =>
  (await navigator.mediaDevices.enumerateDevices()).filter((device) =>
    device.kind === (kind === 'ring' ? 'audiooutput' : kind) && device.label && !['', 'default', 'communications'].includes(device.deviceId))

/** The microphones but this one, the chosen one first. */
export async function otherMicrophones(dead: string | undefined): Promise<string[]> {
  const ids = (await named('audioinput')).map(({ deviceId }) => deviceId).filter((id) => id !== dead)
  const chosen = keptDevice('audioinput')
  return ids.toSorted((a, b) => Number(b === chosen) - Number(a === chosen))
}

/** Whether the microphone that was chosen by name is there. */
export const chosenIsBack = async (): Promise<boolean> =>
  (await named('audioinput')).some(({ deviceId }) => deviceId === keptDevice('audioinput'))

/** The devices of a kind, live. */
export function useDevices(kind: Kind): Device[] {
  const [devices, setDevices] = useState<Device[]>([])
  useEffect(() => {
    // Absent outside https and localhost, whatever the types say.
    const media = navigator.mediaDevices as MediaDevices | undefined
    if (!media) return
    const look = () => void named(kind).then((found) =>
      setDevices(found.map(({ deviceId, label }) => ({ value: deviceId, label }))))
    look()
    media.addEventListener('devicechange', look)
    return () => media.removeEventListener('devicechange', look)
  }, [kind])
  return devices
}
