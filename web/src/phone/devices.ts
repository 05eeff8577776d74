import { useEffect, useState } from 'react'

/** Sound devices as this computer's person chose them; '' is the browser's own choice. */
export type Kind = 'audioinput' | 'audiooutput'

const keyOf = (kind: Kind) => `hotline137.device.${kind}`

export const keptDevice = (kind: Kind): string => localStorage.getItem(keyOf(kind)) ?? ''

export const keepDevice = (kind: Kind, id: string): void => localStorage.setItem(keyOf(kind), id)

export interface Device {
  value: string
  label: string
}

/** The devices of a kind that can be told apart, live: without leave for the microphone a browser names none. */
export function useDevices(kind: Kind): Device[] {
  const [devices, setDevices] = useState<Device[]>([])
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined
    if (!media) return
    const look = () => void media.enumerateDevices().then((found) => setDevices(
      found
        .filter((device) => device.kind === kind && device.label && !['', 'default', 'communications'].includes(device.deviceId))
        .map(({ deviceId, label }) => ({ value: deviceId, label })),
    ))
    look()
    media.addEventListener('devicechange', look)
    return () => media.removeEventListener('devicechange', look)
  }, [kind])
  return devices
}
