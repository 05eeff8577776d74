import type { Language } from '../language/language'
import type { InboxRequest } from './queries'

export const categoryName = ({ code }: Language, { category_fa, category_en }: InboxRequest) => (code === 'fa' ? category_fa : category_en)

/** A department has it in its hands. */
export const isWithUs = ({ state }: InboxRequest) => state === 'referred' || state === 'accepted' || state === 'asked'
