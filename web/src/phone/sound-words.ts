import type { components } from '../../shared/api/schema.gen'
import { useLanguage } from '../language/language'
import { verdictOf } from './mos'

type Quality = components['schemas']['Quality']

/** How a conversation sounded, in words; nothing where it was not measured. */
export function useSoundWords(): (quality: Quality | null) => string {
  const { text: { quality: words }, format } = useLanguage()
  return (quality) => (quality ? words.kept(words.verdict[verdictOf(quality.mos)], format.number(Math.round(quality.mos * 10) / 10)) : '')
}
