import Archive from '@lucide/svelte/icons/archive';
import Ban from '@lucide/svelte/icons/ban';
import CircleCheck from '@lucide/svelte/icons/circle-check';
import CircleDot from '@lucide/svelte/icons/circle-dot';
import CircleDotDashed from '@lucide/svelte/icons/circle-dot-dashed';
import Flame from '@lucide/svelte/icons/flame';

export const STATUS_ICONS = {
  new: CircleDot,
  in_progress: CircleDotDashed,
  urgent: Flame,
  resolved: CircleCheck,
  archived: Archive,
  spam: Ban,
};
