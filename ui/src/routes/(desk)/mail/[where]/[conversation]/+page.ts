import type { PageLoad } from './$types.js';

export const load: PageLoad = async ({ params, parent }) => {
  const { desk } = await parent();
  const conversation = desk.conversation(params.conversation);
  void conversation.load();
  return { conversation };
};
