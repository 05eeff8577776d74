import type { Category } from '../api/city'
import type { CityRequest, Department } from './queries'

const keyOf = (category: number | string) => `hotline137.department.${category}`

/** To which department something of this category went last from this browser, if it is still in use; otherwise ''. */
export function usualDepartment(category: string, departments: Pick<Department, 'id' | 'active'>[]): string {
  const kept = localStorage.getItem(keyOf(category)) ?? ''
  return departments.some(({ id, active }) => active && String(id) === kept) ? kept : ''
}

/** Which department is meant for something of this category in this district ('': nobody knows where); else the usual one. */
export function meantDepartment(
  category: Pick<Category, 'id' | 'departments'> | undefined, district: string, departments: Pick<Department, 'id' | 'active'>[],
): string {
  if (!category) return ''
  const of = (wanted: number) => category.departments.find((one) => one.district === wanted)?.department_id
  const meant = of(Number(district)) ?? of(0)
  return departments.some(({ id, active }) => active && id === meant) ? String(meant) : usualDepartment(String(category.id), departments)
}

export function keepDepartment({ category, department }: Pick<CityRequest, 'category' | 'department'>): void {
  if (department) localStorage.setItem(keyOf(category), String(department.id))
}
