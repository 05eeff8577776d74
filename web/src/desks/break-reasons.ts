import type { components } from '../../shared/api/schema.gen'

export type BreakReason = components['schemas']['BreakReason']

/** Why a desk takes a break, in the order in which the pages show them. */
export const REASONS: BreakReason[] = ['writing', 'rest', 'prayer', 'meal', 'meeting', 'technical']
